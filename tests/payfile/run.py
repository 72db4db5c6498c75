"""Paying the orders of a file, as their owner meets it: `agentpay pay` through crashes of both sides, its reports, and what
it says of files that are wrong. Prints TAP.

usage: run.py [CASE...]
"""
import collections
import contextlib
import csv
import os
import pathlib
import pty
import re
import select
import signal
import shutil
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from harness import payers, running  # noqa: E402
from harness.tap import Cases, Failed, Wrong, expect  # noqa: E402

cases = Cases("payfile")
wrong = Wrong.use
SETTINGS = {"AGENTPAY_RISK_REVIEW_THRESHOLD": "100", "AGENTPAY_RISK_BLOCK_THRESHOLD": "101", "AGENTPAY_LOG_LEVEL": "warning"}
LIMITS = {"per_payment_limit": "1000.00", "daily_limit": "900000.00", "monthly_limit": "900000.00"}
COLUMNS = ["id", "amount", "currency", "payee_name", "account_id", "iban", "bic", "routing_number", "account_number", "card_token", "reference"]
BANK = {"routing_number": "021000021", "account_number": "123456789"}


def order(number, kind, agent):
    """One row of a file: a few kinds, each with an end of its own."""
    row = {"id": f"order-{number}", "amount": f"{number % 90 + 1}.5", "currency": "USD", "payee_name": f"Shop {number}", "reference": f"invoice {number}"}
    if kind in ("book", "over its consent", "no amount"):
        row["account_id"] = agent["payee"]
    if kind == "over its consent":
        row["amount"] = "1000.01"
    if kind == "no amount":
        row["amount"] = "0"
    if kind == "bank":
        row |= BANK
    if kind == "card":
        row["card_token"] = "tok_merchant_1"
    if kind == "closed card":
        row |= {"card_token": "tok_merchant_1", "payee_name": 'Closed, "Shop" [sandbox: decline=do_not_honor]'}
    return row


ENDS = {"book": ("settled", "ACSC"), "bank": ("settled", "ACSC"), "card": ("settled", "ACSC"), "over its consent": ("declined", "RJCT"),
        "no amount": ("refused", "RJCT"), "closed card": ("failed", "RJCT")}
KINDS = ["book", "book", "bank", "book", "card", "book", "over its consent", "book", "no amount", "closed card"]


def write_orders(path, agent, count, kinds=("book",)):
    with open(path, "w", newline="") as file:
        table = csv.DictWriter(file, COLUMNS)
        table.writeheader()
        for number in range(count):
            table.writerow(order(number, kinds[number % len(kinds)], agent))
    return path


def command(platform, path, *more):
    return [running.binary(), "pay", str(path), "--server", f"http://127.0.0.1:{platform.port}", *more]


def environment(agent, secret=None):
    return dict(running.plain_environment(), AGENTPAY_CLIENT_ID=agent["agent"]["client_id"],
                AGENTPAY_CLIENT_SECRET=secret or agent["agent"]["client_secret"])


def pay(platform, agent, path, *more):
    return subprocess.run(command(platform, path, *more), cwd=path.parent, env=environment(agent), stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=120)


@contextlib.contextmanager
def paying(platform, agent, path, *more):
    """A run that goes on meanwhile; ended with the block."""
    process = subprocess.Popen(command(platform, path, *more), cwd=path.parent, env=environment(agent), stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def wait_for_journal(process, path, lines, seconds=30):
    journal, deadline = pathlib.Path(f"{path}.journal"), time.monotonic() + seconds
    while not journal.exists() or journal.read_bytes().count(b"\n") < lines:
        if process.poll() is not None:
            raise Failed(f"the run has ended with {process.returncode} before {lines} answers: {process.communicate()}")
        expect(time.monotonic() < deadline, f"no {lines} answers within {seconds} s")
        time.sleep(0.001)


def report_of(path):
    with open(f"{path}.report.csv", newline="") as file:
        return list(csv.DictReader(file))


def each_once(platform, agent, path, count):
    """The platform has one payment for each order, and the report tells of all."""
    payments = payers.pages(platform, f"/v1/payments?agent_id={agent['agent']['id']}", agent["admin"])
    references = collections.Counter(payment["reference"] for payment in payments)
    doubled = {reference: times for reference, times in references.items() if times > 1}
    expect(not doubled, f"paid more than once: {doubled}")
    expect(len(payments) == count, f"{len(payments)} payments for {count} orders")
    rows = report_of(path)
    expect({row["payment_id"] for row in rows} == {payment["id"] for payment in payments}, "the report names other payments")
    ends = collections.Counter((row["status"], row["iso_status"]) for row in rows)
    expect(ends == {("settled", "ACSC"): count}, f"the report says {dict(ends)}")
    expect(not pathlib.Path(f"{path}.journal").exists(), "the journal is still there")


def stage(folder, count, **example):
    """A platform for one case: (platform, agent, file of book orders)."""
    platform = running.Platform(settings=SETTINGS, folder=folder)

    @contextlib.contextmanager
    def start():
        with platform:
            agent = platform.example("payer", **{**LIMITS, "funds": "500000.00", **example})
            yield platform, agent, write_orders(pathlib.Path(folder, "orders.csv"), agent, count)
    return start()


# --- orders and reports -----------------------------------------------------------------------------------------------------


@cases.add
def four_hundred_mixed_orders(folder):
    with stage(folder, 0) as (platform, agent, path):
        write_orders(path, agent, 400, KINDS)
        result = pay(platform, agent, path)
        told = f"status {result.returncode}\n{result.stdout}{result.stderr}"
        expect(result.returncode == 1 and not result.stderr, f"with rejected orders the exit status is 1 and standard error empty:\n{told}")
        rows = report_of(path)
        expect([row["id"] for row in rows] == [f"order-{number}" for number in range(400)], "the report has other orders, or in another order")
        strange = [row for number, row in enumerate(rows) if (row["status"], row["iso_status"]) != ENDS[KINDS[number % len(KINDS)]]]
        expect(not strange, "\n".join(f"{row['id']} ended as {row['status']} {row['iso_status']} {row['code']} {row['detail']}" for row in strange[:5]))
        unexplained = [row for row in rows if row["iso_status"] == "RJCT" and not (row["detail"] and row["iso_reason"])]
        expect(not unexplained, f"rejected without a reason: {unexplained[:3]}")
        expect(re.search(r"^ +280  ACSC  settled$", result.stdout, re.M) and re.search(r"^ +120  RJCT  rejected$", result.stdout, re.M), told)
        expect(not pathlib.Path(f"{path}.journal").exists(), "all is final and the journal is still there")
        again = pay(platform, agent, path)
        expect([row["payment_id"] for row in report_of(path)] == [row["payment_id"] for row in rows], f"paid again as others:\n{again.stdout}")


@cases.add
def an_order_that_waits_keeps_the_journal(folder):
    with stage(folder, 0, approval_threshold="50.00") as (platform, agent, path):
        path.write_text(f"id,amount,currency,account_id\na,10.00,USD,{agent['payee']}\nb,60.00,USD,{agent['payee']}\n")
        result = pay(platform, agent, path, "--wait", "1")
        expect("run the same command again" in result.stdout and pathlib.Path(f"{path}.journal").exists(), result.stdout + result.stderr)
        rows = report_of(path)
        expect([row["iso_status"] for row in rows] == ["ACSC", "PDNG"], f"{rows}")
        answer = platform.call("POST", f"/v1/payments/{rows[1]['payment_id']}/approve", {"decision": "approve"}, agent["admin"])
        expect(answer.status in (200, 201), answer.body)
        result = pay(platform, agent, path)
        expect(result.returncode == 0, result.stdout + result.stderr)
        each_once(platform, agent, path, 2)


# --- broken off and gone on ----------------------------------------------------------------------------------------------------


@cases.add
def the_client_is_killed(folder):
    with stage(folder, 400) as (platform, agent, path):
        for lines in (40, 200):
            with paying(platform, agent, path, "--connections", "4") as process:
                wait_for_journal(process, path, lines)
                process.kill()
        result = pay(platform, agent, path)
        expect(result.returncode == 0, result.stdout + result.stderr)
        each_once(platform, agent, path, 400)


@cases.add
def the_journal_is_lost_or_cut(folder):
    with stage(folder, 200) as (platform, agent, path):
        journal = pathlib.Path(f"{path}.journal")
        with paying(platform, agent, path, "--connections", "2") as process:
            wait_for_journal(process, path, 50)
        whole = journal.read_bytes()
        journal.write_bytes(whole[:len(whole) // 2] + b"\0\0{")
        with paying(platform, agent, path, "--connections", "2") as process:
            wait_for_journal(process, path, 80)
        journal.unlink()
        result = pay(platform, agent, path)
        expect(result.returncode == 0, result.stdout + result.stderr)
        each_once(platform, agent, path, 200)


@cases.add
def the_platform_is_killed(folder):
    with stage(folder, 0) as (platform, agent, path):
        write_orders(path, agent, 400, ("book", "card", "book", "bank"))
        # What was being sent to a rail when the platform died is asked after when its minute is over.
        with paying(platform, agent, path, "--connections", "4", "--wait", "120") as process:
            for lines in (50, 200):
                wait_for_journal(process, path, lines)
                platform.kill()
                time.sleep(0.5)
                platform.start()
            out, err = process.communicate(timeout=180)
        expect(process.returncode == 0 and not err, f"the client should just go on; status {process.returncode}\n{out}{err}")
        each_once(platform, agent, path, 400)


@cases.add
def ctrl_c_says_how_to_go_on(folder):
    with stage(folder, 400) as (platform, agent, path):
        for how in (signal.SIGINT, signal.SIGTERM):
            with paying(platform, agent, path, "--connections", "2") as process:
                wait_for_journal(process, path, 50 if how == signal.SIGINT else 150)
                process.send_signal(how)
                out, err = process.communicate(timeout=30)
            expect(process.returncode == 1 and "run the same command again" in out and not err, f"status {process.returncode}\n{out}{err}")
            expect(pathlib.Path(f"{path}.journal").exists(), "there is no journal")
        result = pay(platform, agent, path)
        expect(result.returncode == 0, result.stdout + result.stderr)
        each_once(platform, agent, path, 400)


@cases.add
def two_runs_of_one_file(folder):
    with stage(folder, 400) as (platform, agent, path):
        with paying(platform, agent, path, "--connections", "1") as process:
            wait_for_journal(process, path, 10)
            wrong(folder, 1, "Another run", *command(platform, path)[1:], **{name: value for name, value in environment(agent).items()
                                                                                if name.startswith("AGENTPAY_")})
            out, err = process.communicate(timeout=90)
        expect(process.returncode == 0, f"the first run is disturbed:\n{out}{err}")
        each_once(platform, agent, path, 400)


# --- ISO 20022 ---------------------------------------------------------------------------------------------------------------------


def iso_folder():
    """The published schemas and samples, which stand beside the source tree."""
    folder = pathlib.Path(os.environ.get("AGENTPAY_SHARED") or running.SOURCE.parent / "shared", "vectors/iso20022")
    if not folder.is_dir():
        raise running.Missing(f"no ISO 20022 schemas and samples in {folder}")
    return folder


def pain001(sample, path, agent, payees):
    """A file in the shape of the published sample, with an order of 12.34 EUR for each payee's name."""
    text = sample.read_text()
    first, last = text.index("      <CdtTrfTxInf>"), text.index("    </PmtInf>")
    block = text[first:last]
    orders = ""
    for number, name in enumerate(payees):
        one = block.replace("SomethingUnique", f"Order-{number}").replace("John Doe", name)
        orders += re.sub(r"<UETR>.*</UETR>", f"<UETR>{os.urandom(4).hex()}-8dd7-4c1a-8ece-559df8c67da1</UETR>", one)
    text = text[:first] + orders + text[last:]
    text = text.replace("<NbOfTxs>1<", f"<NbOfTxs>{len(payees)}<").replace("<CtrlSum>12.34<", f"<CtrlSum>{1234 * len(payees) / 100:.2f}<")
    path.write_text(text.replace("OurMessageIdentification", f"Message-{agent['agent']['id'][-12:]}"))


@cases.add
def pain_001_is_answered_with_pain_002(folder):
    iso = iso_folder()
    xmllint = shutil.which("xmllint")
    if not xmllint:
        raise running.Missing("xmllint is not there")
    with stage(folder, 0, currency="EUR") as (platform, agent, _):
        path = pathlib.Path(folder, "salaries.xml")
        payees = ["Zoë Müller", "Closed [sandbox: decline=AC04]", "Smith &amp; Söhne", "Nobody [sandbox: decline=AC03]"] + [f"Payee {n}" for n in range(16)]
        pain001(iso / "samples/sepa-rules/00-accept.xml", path, agent, payees)
        result = pay(platform, agent, path, "--schemas", str(iso / "xsd"))
        told = f"status {result.returncode}\n{result.stdout}{result.stderr}"
        expect(result.returncode == 1 and re.search(r"^ +18  ACSC", result.stdout, re.M) and re.search(r"^ +2  RJCT", result.stdout, re.M), told)
        report = pathlib.Path(f"{path}.pain002.xml")
        checked = subprocess.run([xmllint, "--noout", "--nonet", "--schema", str(iso / "xsd/pain.002.001.10.xsd"), str(report)], capture_output=True, text=True)
        expect(checked.returncode == 0, checked.stderr)
        text = report.read_text()
        ends = re.findall(r"<OrgnlEndToEndId>(.*?)</OrgnlEndToEndId>\s*<TxSts>(.*?)</TxSts>(?:\s*<StsRsnInf>\s*<Rsn><Cd>(.*?)</Cd>)?", text)
        expect(ends[:4] == [("Order-0", "ACSC", ""), ("Order-1", "RJCT", "AC04"), ("Order-2", "ACSC", ""), ("Order-3", "RJCT", "AC03")], f"{ends[:4]}")
        expect(len(ends) == 20 and all(end[1] == "ACSC" for end in ends[4:]) and "<GrpSts>PART</GrpSts>" in text, text)
        rails = collections.Counter(row["rail"] for row in report_of(path) if row["status"] == "settled")
        expect(set(rails) == {"instant"}, f"paid over {dict(rails)}")


@cases.add
def pain_001_that_breaks_a_rule(folder):
    iso = iso_folder()
    for sample in sorted((iso / "samples/sepa-invalid").glob("*.xml")):
        said = wrong(folder, 1, "", "pay", "--check", "--schemas", str(iso / "xsd"), str(sample))
        expect(re.search(r"[Ll]ine [1-9]\d*: ..|no pain\.001", said), f"{sample.name}: neither line nor reason: {said}")
        expect(len(said) < 300, f"{sample.name}: too long to read: {said}")
    for sample in sorted((iso / "samples/sepa-rules").glob("*.xml")):
        result = running.program(folder, "pay", "--check", "--schemas", str(iso / "xsd"), str(sample))
        is_good = sample.name.startswith("00")
        expect(result.returncode == (0 if is_good else 1), f"{sample.name}: {result.stdout}{result.stderr}")
        expect(is_good or re.search(r"line \d+: .*[A-Z]{2}\d\d .+|says", result.stdout + result.stderr), f"{sample.name}: {result.stdout}{result.stderr}")
    expect(not os.listdir(folder), f"a check writes nothing, but there is {os.listdir(folder)}")


# --- what is wrong -------------------------------------------------------------------------------------------------------------------


@cases.add
def files_that_are_refused(folder):
    head = "id,amount,currency,account_id\n"
    rows = {"": "empty", "id,amount\n": ("Line 1", "currency"), head: "no payment", "id,amount,currency,colour\n": ("Line 1", "colour"),
            head + "a,1.00,USD,acct-1\nb,1.00\n": ("Line 3", "2 fields instead of 4"), head + 'a,"1.00,USD,acct-1\n': "does not end",
            head + ",1.00,USD,acct-1\n": ("Line 2", "id is missing"), "<Document/>": "pain.001", "<Document": "Line 1",
            "<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><Document>&e;</Document>": ""}
    path = pathlib.Path(folder, "orders.csv")
    for text, says in rows.items():
        path.write_text(text)
        said = wrong(folder, 1, says, "pay", "--check", "orders.csv")
        expect("root:" not in said, "it reads files of its machine")
    wrong(folder, 1, ("absent.csv", "No such file"), "pay", "--check", "absent.csv")
    wrong(folder, 1, "not a file", "pay", "--check", folder)
    path.write_text(head + "a,1.00,USD,acct-1\nb,1.001,USD,acct-1\nc,1.00,QQQ,acct-1\n")
    result = running.program(folder, "pay", "--check", "orders.csv")
    expect(result.returncode == 1 and re.findall(r"^line (\d): (\w): (\w+) \S", result.stdout, re.M) == [("2", "a", "AC03"), ("3", "b", "AM12"), ("4", "c", "AM03")],
           result.stdout + result.stderr)


@cases.add
def a_wrong_secret_or_address(folder):
    with stage(folder, 3) as (platform, agent, path):
        mine = {"AGENTPAY_CLIENT_ID": agent["agent"]["client_id"]}
        said = wrong(folder, 1, "client credentials", *command(platform, path)[1:], AGENTPAY_CLIENT_SECRET="not-the-secret", **mine)
        expect("not-the-secret" not in said, "it shows the secret")
        [port] = running.free_ports(1)
        wrong(folder, 1, (f"127.0.0.1:{port}", "does not answer"), "pay", str(path), "--server", f"http://127.0.0.1:{port}",
              AGENTPAY_CLIENT_SECRET=agent["agent"]["client_secret"], **mine)
        result = pay(platform, agent, path)
        expect(result.returncode == 0, f"the file is not paid after that: {result.stdout}{result.stderr}")
        each_once(platform, agent, path, 3)


@cases.add
def a_bar_on_a_terminal_only(folder):
    with stage(folder, 200) as (platform, agent, path):
        outer, inner = pty.openpty()
        process = subprocess.Popen(command(platform, path), cwd=folder, env=environment(agent), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=inner, text=True)
        os.close(inner)
        shown = b""
        with contextlib.suppress(OSError):  # the end of a terminal is an error
            while select.select([outer], [], [], 60)[0] and (part := os.read(outer, 4096)):
                shown += part
        out, _ = process.communicate(timeout=60)
        os.close(outer)
        frames = shown.decode().split("\r")
        expect(process.returncode == 0, out)
        expect(any(re.fullmatch(r"\[#{30}\] 100 %  200 of 200 answered, 200 final *", frame) for frame in frames), f"the last of the bar is {frames[-3:]}")
        expect(shown.endswith(b"\n"), "the bar does not end its line")
        expect(all(len(frame) <= 80 for frame in frames), f"wider than a terminal: {max(frames, key=len)}")
        result = pay(platform, agent, path)
        expect(result.returncode == 0 and not result.stderr and "\r" not in result.stdout, f"in a pipe: {result.stdout!r} {result.stderr!r}")


cases.run()
