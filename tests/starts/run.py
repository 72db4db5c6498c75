"""What a user sees when something is wrong: at the start (one sentence, the right exit status, nothing half done), and
while the platform runs (disk full, database away, told to stop). Prints TAP.

usage: run.py [CASE...]
"""
import collections
import contextlib
import os
import pathlib
import signal
import sqlite3
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from harness import payers, postgres, running  # noqa: E402
from harness.tap import Cases, Failed, Wrong, expect  # noqa: E402

cases = Cases("starts")
wrong = Wrong.use
QUIET = "--log-level=warning"
LARGE = {"daily_limit": "900000.00", "monthly_limit": "900000.00", "per_payment_limit": "1000.00"}
SETTINGS = {"AGENTPAY_RISK_REVIEW_THRESHOLD": "100", "AGENTPAY_RISK_BLOCK_THRESHOLD": "101", "AGENTPAY_LOG_LEVEL": "warning"}


def migrated(folder):
    answer = running.program(folder, "migrate")
    expect(answer.returncode == 0, answer.stderr)
    return pathlib.Path(folder, "var/agentpay.db")


# --- wrong use: exit status 2 -------------------------------------------------------------------------------------------


@cases.add
def wrong_options_of_each_command(folder):
    pathlib.Path(folder, "orders.csv").write_text("id,amount,currency\n")
    wrong(folder, 2, ("there is no command", "fly"), "fly")
    wrong(folder, 2, ("pay", "--fly"), "pay", "--fly")
    wrong(folder, 2, ("pay", "--fly"), "pay", "orders.csv", "--fly=1")
    wrong(folder, 2, ("pay", "--server"), "pay", "orders.csv", "--server")
    wrong(folder, 2, "--connections", "pay", "orders.csv", "--connections=0")
    wrong(folder, 2, "--wait", "pay", "orders.csv", "--wait=soon")
    wrong(folder, 2, "AGENTPAY_CLIENT_ID", "pay", "orders.csv")
    wrong(folder, 2, "one file", "pay")
    wrong(folder, 2, ("sandbox", "--fly"), "sandbox", "--fly")
    wrong(folder, 2, "--decline", "sandbox", "--secret=whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz", "--decline=often")
    wrong(folder, 2, "AGENTPAY_RAILS_SECRET", "sandbox")
    wrong(folder, 2, "agentpay audit verify", "audit")
    wrong(folder, 2, "agentpay audit verify", "audit", "fly")
    wrong(folder, 2, "fly", "migrate", "fly")
    wrong(folder, 2, "fly", "config", "--fly")
    expect(os.listdir(folder) == ["orders.csv"], f"something was made: {os.listdir(folder)}")


@cases.add
def wrong_settings(folder):
    for option, words in {"--rate-limit=fast": "0..1000000", "--log=xml": "json|text", "--access-token-lifetime=soon": "15m",
                          "--database-url=mysql://x": "postgres://", "--rails-url=ftp://x": "http://",
                          "--webhook-private-addresses=maybe": "true or false", "--risk-block-threshold=5": "RISK_REVIEW_THRESHOLD"}.items():
        wrong(folder, 2, words, "serve", option)
    wrong(folder, 2, "no setting", "serve", AGENTPAY_RATE_LIMITS="5")
    pathlib.Path(folder, "bad.env").write_text("# ours\nAGENTPAY_RATE_LIMIT=5\nAGENTPAY_RATE\n")
    wrong(folder, 2, "bad.env line 3", "serve", "--config=bad.env")
    wrong(folder, 2, "--listen needs a value", "serve", "--listen")
    expect(os.listdir(folder) == ["bad.env"], f"something was made: {os.listdir(folder)}")


@cases.add
def a_listen_address_that_is_none(folder):
    for address in ("nowhere", "127.0.0.1:99999", "127.0.0.1:", "192.0.2.1:8080"):
        wrong(folder, 1, ("AGENTPAY_LISTEN", address), "serve", QUIET, f"--listen={address}")


# --- what hinders a start: exit status 1 --------------------------------------------------------------------------------


@cases.add
def a_folder_that_may_not_be_written(folder):
    locked = pathlib.Path(folder, "locked")
    locked.mkdir(mode=0o555)
    user = None
    if os.geteuid() == 0:  # root may write everywhere
        os.chmod(folder, 0o755)
        user = 65534
    wrong(locked, 1, ("Permission denied", "AGENTPAY_"), "serve", QUIET, user=user)
    expect(not list(locked.iterdir()), f"something was made: {list(locked.iterdir())}")


@cases.add
def a_folder_that_cannot_be_made(folder):
    pathlib.Path(folder, "file").write_text("")
    for setting in ("key-folder=file/keys", "database-url=sqlite:file/x.db", "audit-database-url=sqlite:file/x.db"):
        name = setting.split("=", maxsplit=1)[0].replace("-", "_").upper()
        wrong(folder, 1, ("file", f"AGENTPAY_{name}"), "serve", QUIET, "--listen=127.0.0.1:0", f"--{setting}")


@cases.add
def a_damaged_database_file(folder):
    pathlib.Path(folder, "bad.db").write_bytes(b"garbage " * 1024)
    wrong(folder, 1, ("bad.db", "damaged", "AGENTPAY_AUDIT_DATABASE_URL"), "serve", QUIET, "--audit-database-url=sqlite:bad.db")
    wrong(folder, 1, ("bad.db", "damaged"), "migrate", QUIET, "--database-url=sqlite:bad.db")
    database = migrated(folder)
    for damage in ("cut in the middle", "overwritten with zeros", "a text"):
        whole = database.read_bytes()
        if damage == "cut in the middle":
            database.write_bytes(whole[:len(whole) // 2 - 100])
        elif damage == "overwritten with zeros":
            database.write_bytes(bytes(16384) + whole[16384:])
        else:
            database.write_text("Dear database,\n" * 1000)
        try:
            wrong(folder, 1, ("agentpay.db", "damaged"), "serve", QUIET, "--listen=127.0.0.1:0")
        except Failed as error:
            raise Failed(f"{damage}: {error}") from None
        database.write_bytes(whole)


@cases.add
def a_database_that_another_program_holds(folder):
    database = migrated(folder)
    holder = subprocess.Popen([sys.executable, "-c", "import sqlite3, sys, time\n"
                               "c = sqlite3.connect(sys.argv[1], isolation_level=None)\nc.execute('PRAGMA locking_mode = EXCLUSIVE')\n"
                               "c.execute('BEGIN EXCLUSIVE')\nprint('held', flush=True)\ntime.sleep(120)", str(database)],
                              stdout=subprocess.PIPE, text=True)
    try:
        expect(holder.stdout.readline() == "held\n", "the other program does not hold the file")
        begin = time.monotonic()
        wrong(folder, 1, ("AGENTPAY_DATABASE_URL", "another program"), "serve", QUIET, "--listen=127.0.0.1:0")
        expect(time.monotonic() - begin < 30, f"it took {time.monotonic() - begin:.0f} s to say so")
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()


@cases.add
def a_migration_with_another_text(folder):
    database = migrated(folder)
    with contextlib.closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE migrations SET checksum = '0123456789abcdef' WHERE service = 'ledger'")
    wrong(folder, 1, ("Migration", "another text", "AGENTPAY_DATABASE_URL"), "serve", QUIET, "--listen=127.0.0.1:0")


@cases.add
def a_postgres_without_that_database(folder):
    url = running.Postgres().server.rsplit("/", 1)[0] + "/there_is_no_such_database"
    wrong(folder, 1, ("there_is_no_such_database", "AGENTPAY_DATABASE_URL"), "serve", QUIET, f"--database-url={url}")
    wrong(folder, 1, ("there_is_no_such_database", "AGENTPAY_AUDIT_DATABASE_URL"), "serve", QUIET, f"--audit-database-url={url}")


@cases.add
def a_postgres_that_is_not_there(folder):
    [port] = running.free_ports(1)
    said = wrong(folder, 1, ("refused", "AGENTPAY_DATABASE_URL"), "serve", QUIET, f"--database-url=postgres://me:topsecret@127.0.0.1:{port}/x")
    expect("topsecret" not in said, f"the password is shown: {said}")


@cases.add
def keys_that_are_damaged_or_open(folder):
    for number, arguments in enumerate((("serve", QUIET, "--listen=127.0.0.1:0"),) * 2):
        process = subprocess.Popen([running.binary(), *arguments], cwd=folder, env=running.plain_environment(), stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, text=True)
        expect("is ready" in process.stdout.readline(), "the platform does not start")
        process.terminate()
        process.communicate(timeout=60)
        expect(process.returncode == 0, f"exit status {process.returncode}")
        if number:
            break
    keys = sorted(pathlib.Path(folder, "var/keys").iterdir())
    expect(len(keys) >= 4, f"only {keys}")
    for key in keys:
        whole = key.read_bytes()
        key.write_bytes(whole[:len(whole) // 2])
        wrong(folder, 1, f"var/keys/{key.name}", "serve", QUIET, "--listen=127.0.0.1:0")
        expect(key.read_bytes() == whole[:len(whole) // 2], f"{key.name} was written over")
        key.write_bytes(whole)
        key.chmod(0o644)
        wrong(folder, 1, (key.name, "may be read by others", "0600"), "serve", QUIET, "--listen=127.0.0.1:0")
        key.chmod(0o600)


@cases.add
def an_audit_trail_that_is_not_there(folder):
    wrong(folder, 1, ("no audit", "absent.db"), "audit", "verify", "--audit-database-url=sqlite:absent.db")
    expect(not os.listdir(folder), f"something was made: {os.listdir(folder)}")
    pathlib.Path(folder, "text.db").write_text("Dear auditor,\n" * 1000)
    wrong(folder, 1, ("text.db", "damaged"), "audit", "verify", "--audit-database-url=sqlite:text.db")
    migrated(folder)
    wrong(folder, 1, "no audit trail", "audit", "verify", "--audit-database-url=sqlite:var/agentpay.db")


@cases.add
def two_platforms_on_the_same_files(folder):
    """The port is what tells them apart; the data bears both."""
    with running.Platform(settings=SETTINGS, folder=folder) as first:
        wrong(folder, 1, ("in use", "AGENTPAY_LISTEN"), "serve", QUIET, f"--listen=127.0.0.1:{first.port}")
        agent = first.example("twin", funds=payers.FUNDS, **LARGE)
        [port] = running.free_ports(1)
        environment = dict(first.processes[0].environment, AGENTPAY_LISTEN=f"127.0.0.1:{port}")
        second = running.Process("second", [running.binary(), "serve"], environment, first.log)
        second.start()
        try:
            first.processes.append(second)
            first.ports["second"] = port
            first._wait_ready(second)
            with payers.Payers(first, agent, threads=3) as here:
                twin = payers.Payers(Elsewhere(first, port), agent, threads=0)
                twin.threads = [threading.Thread(target=twin._pay, args=(f"twin-{number}",), daemon=True) for number in range(40)]
                with twin:
                    here.wait_for(100)
            here.answers |= twin.answers
            here.strange += twin.strange
            expect(len(twin.answers) == 40, f"the second answered {len(twin.answers)} of 40: {dict(twin.refusals)}")
            payers.prove(first, agent, here)
            # What one remembers, the other may change: a withdrawn consent counts everywhere within seconds.
            body = {"amount": "1.00", "currency": "USD", "payee": {"account_id": agent["payee"], "name": "Shop"}}
            first.made(first.call("POST", f"/v1/consents/{agent['consent']}/revoke", {"reason": "over"}, agent["admin"]))
            deadline = time.monotonic() + 10
            for at in (first.port, port):
                while (answer := first.call("POST", "/v1/payments", body, agent["token"], port=at)).status == 201 and time.monotonic() < deadline:
                    time.sleep(0.2)
                expect(answer.status == 403, f"10 s after the consent was revoked port {at} still pays: {answer.body}")
        finally:
            status = second.end()
            first.processes.remove(second)
        expect(status == 0, f"the second ends with {status}:\n{first.log_tail()}")


class Elsewhere:
    """The same platform through another port."""

    def __init__(self, platform, port):
        self.platform, self.port = platform, port

    def call(self, *arguments, **more):
        return self.platform.call(*arguments, **dict(more, port=self.port))

    def log_tail(self):
        return self.platform.log_tail()


# --- while it runs --------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def small_disk(folder, mebibytes):
    disk = pathlib.Path(folder, "disk")
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m,mode=0700", "tmpfs", str(disk)], capture_output=True, text=True)
    if mounted.returncode:
        raise running.Missing(f"no file system can be mounted here: {mounted.stderr.strip()}")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def fill(path):
    """Takes the last byte of the disk."""
    with open(path, "wb", buffering=0) as ballast:
        for size in (1 << 16, 4096, 1):
            with contextlib.suppress(OSError):
                while ballast.write(b"x" * size):
                    pass


@cases.add
def the_disk_gets_full(folder):
    with small_disk(folder, 24) as disk:
        settings = dict(SETTINGS, AGENTPAY_DATABASE_URL=f"sqlite:{disk}/agentpay.db", AGENTPAY_AUDIT_DATABASE_URL=f"sqlite:{disk}/audit.db")
        with running.Platform(settings=settings, folder=folder) as platform:
            agent = platform.example("full", funds=payers.FUNDS, **LARGE)
            with payers.Payers(platform, agent, threads=4, pause=0.01) as paying:
                for _ in range(2):
                    paying.wait_for(50)
                    fill(disk / "ballast")
                    paying.wait_for_refusal()
                    time.sleep(2)
                    (disk / "ballast").unlink()
                    paying.wait_for(50)
            codes = {code for _, code in paying.refusals}
            expect("database_full" in codes, f"nobody was told that the disk is full: {dict(paying.refusals)}")
            expect(codes <= {"database_full", "overloaded", "database_busy", "idempotency_in_flight"}, f"{dict(paying.refusals)}")
            payers.prove(platform, agent, paying)
        expect(not any(platform.exit_statuses), f"exit statuses {platform.exit_statuses}\n{platform.log_tail()}")


@cases.add
def a_full_disk_at_the_start(folder):
    with small_disk(folder, 1) as disk:
        fill(disk / "ballast")
        wrong(folder, 1, ("AGENTPAY_DATABASE_URL", "full"), "serve", QUIET, "--listen=127.0.0.1:0", f"--database-url=sqlite:{disk}/agentpay.db")
        (disk / "ballast").unlink()


@cases.add
def postgres_goes_and_comes_back(_folder):
    with postgres.Server() as server, running.Platform("postgres", settings=SETTINGS, server=server.url) as platform:
        agent = platform.example("away", funds=payers.FUNDS, **LARGE)
        with payers.Payers(platform, agent, threads=4, pause=0.01) as paying:
            for how in ("fast", "immediate"):
                paying.wait_for(50)
                server.stop(how)
                paying.wait_for_refusal()
                ready = platform.call("GET", "/readyz")
                expect(ready.status == 503, f"without a database it says that it is ready: {ready.status} {ready.body}")
                expect(platform.call("GET", "/healthz").status == 200, "without a database it is not alive")
                time.sleep(2)
                server.start()
                paying.wait_for(50)
        expect({status for status, _ in paying.refusals} <= {503, 409}, f"{dict(paying.refusals)}")
        expect(platform.call("GET", "/readyz").status == 200, "it does not get ready again")
        payers.prove(platform, agent, paying)
        statuses = platform.stop()
        expect(not any(statuses), f"exit statuses {statuses}\n{platform.log_tail()}")


@cases.add
def told_to_stop_under_load(folder):
    with running.Platform(settings=SETTINGS, folder=folder) as platform:
        agent = platform.example("stop", funds=payers.FUNDS, **LARGE)
        with payers.Payers(platform, agent, threads=8) as paying:
            for how in (signal.SIGTERM, signal.SIGINT, signal.SIGTERM):
                paying.wait_for(50)
                begin = time.monotonic()
                statuses = platform.stop(how)
                took = time.monotonic() - begin
                expect(statuses == [0], f"exit statuses {statuses}\n{platform.log_tail()}")
                expect(took < 15, f"it took {took:.1f} s to stop")
                platform.start()
        expect(collections.Counter(status for status, _ in paying.refusals).keys() <= {503, 409}, f"{dict(paying.refusals)}")
        payers.prove(platform, agent, paying)


cases.run()
