"""The program as a person at a shell meets it: help, bad settings, signals, forwarding. Prints TAP.

Every refusal is one sentence on standard error and an exit status: 2 for a wrong use, 1 for what hinders it. What hinders a
start (damaged files, full disks, databases that are away) has a suite of its own, tests/starts.
"""
import contextlib
import http.client
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time

PROGRAM = os.environ["AGENTPAY_BINARY"]
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith("AGENTPAY_")}
cases = []


def case(function):
    cases.append(function)
    return function


def run(folder, *arguments, seconds=60, **environment):
    return subprocess.run([PROGRAM, *arguments], cwd=folder, env=dict(CLEAN, **environment), capture_output=True, text=True,
                          timeout=seconds, stdin=subprocess.DEVNULL)


def refused(folder, status, says, *arguments, **environment):
    """The program ends with the status and exactly one line, which says so."""
    answer = run(folder, *arguments, **environment)
    lines = [line for line in answer.stderr.splitlines() if not line.startswith("{")]
    assert answer.returncode == status, f"status {answer.returncode}, not {status}: {answer.stderr}"
    assert len(lines) == 1, f"not one sentence: {answer.stderr}"
    assert lines[0].startswith("agentpay: ") and says in lines[0], f"it does not say {says!r}: {lines[0]}"
    assert "admin" not in answer.stdout, "credentials of a start that failed"


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def ask(port, method, path, headers=None, body=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


@contextlib.contextmanager
def served(folder, *arguments, port=None, **environment):
    """A running platform: (process, port). What it printed is in folder/out."""
    port = port or free_port()
    out = pathlib.Path(folder, f"out-{port}")
    with open(out, "wb") as log:
        process = subprocess.Popen([PROGRAM, "serve", f"--listen=127.0.0.1:{port}", "--log-level=warning", *arguments], cwd=folder,
                                   env=dict(CLEAN, **environment), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 60
        while "is ready at" not in out.read_text() or not re.search(r"services:.*\n", out.read_text()):
            assert process.poll() is None and time.monotonic() < deadline, f"it does not start: {out.read_text()}"
            time.sleep(0.01)
        yield process, port
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


@case
def help_reads(folder):
    overview = run(folder)
    assert overview.returncode == 0 and "usage: agentpay COMMAND" in overview.stdout
    names = re.findall(r"^  (\w+) ", overview.stdout, re.M)
    assert {"serve", "pay", "audit", "sandbox", "migrate", "config", "version", "help"} <= set(names), names
    for name in names:
        if name in ("version", "help"):
            continue
        for arguments in ((name, "--help"), ("help", name)):
            answer = run(folder, *arguments)
            assert answer.returncode == 0 and answer.stdout.startswith(f"usage: agentpay {name}"), answer
            assert len(answer.stdout.splitlines()) >= 3 and answer.stdout.endswith("\n")
            assert max(map(len, answer.stdout.splitlines())) <= 110, max(answer.stdout.splitlines(), key=len)
    for arguments in (("version",), ("--version",)):
        answer = run(folder, *arguments)
        assert answer.returncode == 0 and re.fullmatch(r"agentpay \d+\.\d+\.\d+\n", answer.stdout), answer
    refused(folder, 2, 'there is no command "demo"', "demo")
    refused(folder, 2, 'there is no command "fly"', "help", "fly")


@case
def wrong_use_is_status_two(folder):
    refused(folder, 2, 'there is no command "fly"', "fly")
    refused(folder, 2, "FOO is no setting", "serve", AGENTPAY_FOO="1")
    refused(folder, 2, 'serve knows no argument "--foo"', "serve", "--foo")
    refused(folder, 2, "RATE_LIMIT", "serve", "--rate-limit=fast")
    refused(folder, 2, "cannot be read", "serve", "--config=absent.env")
    refused(folder, 2, 'there is no service "foo"', "serve", "--target=foo")
    refused(folder, 2, "set AGENTPAY_IDENTITY_URL", "serve", "--target=ledger")
    refused(folder, 2, "set AGENTPAY_LEDGER_URL", "serve", "--target=identity,risk,router")


@case
def config_shows_value_source_and_meaning(folder):
    pathlib.Path(folder, "my.env").write_text("# ours\n\nAGENTPAY_RATE_LIMIT = 7\nAGENTPAY_CONNECTIONS_MAX=8\nAGENTPAY_LOG_LEVEL=error\n")
    answer = run(folder, "config", "--config=my.env", "--log=text", "--log-level", "debug", AGENTPAY_SERVICE_KEY="topsecret",
                 AGENTPAY_DATABASE_URL="postgres://me:topsecret@127.0.0.1/pay",
                 AGENTPAY_AUDIT_DATABASE_URL="postgres://me@127.0.0.1/audit?password=topsecret&connect_timeout=5", AGENTPAY_CONNECTIONS_MAX="9", AGENTPAY_LOG_LEVEL="info")
    assert answer.returncode == 0 and not answer.stderr, answer
    shown = {name: (option, value, source) for name, option, value, source in
             re.findall(r"^AGENTPAY_(\w+)  --(\S+)\n    (.*)  \((.*)\)\n    \S.*$", answer.stdout, re.M)}
    assert len(shown) * 3 == len(answer.stdout.splitlines()), "not three lines for each setting"
    assert all(option == name.lower().replace("_", "-") for name, (option, _, _) in shown.items())
    # Each source over the one before: default, file, environment, command line.
    for name, value, source in (("LISTEN", "127.0.0.1:8080", "default"), ("RATE_LIMIT", "7", "file"), ("CONNECTIONS_MAX", "9", "environment"),
                                ("LOG", "text", "command line"), ("LOG_LEVEL", "debug", "command line"), ("SERVICE_KEY", "***", "environment"),
                                ("RAILS_SECRET", "(empty)", "default"), ("DATABASE_URL", "postgres://me:***@127.0.0.1/pay", "environment"),
                                ("AUDIT_DATABASE_URL", "postgres://me@127.0.0.1/audit?password=***&connect_timeout=5", "environment")):
        assert shown[name][1:] == (value, source), (name, shown[name])
    assert "topsecret" not in answer.stdout
    assert max(map(len, answer.stdout.splitlines())) <= 110, max(answer.stdout.splitlines(), key=len)


@case
def a_port_in_use_is_said_and_nothing_is_made(folder):
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        refused(folder, 1, "in use", "serve", "--listen=127.0.0.1:%d" % busy.getsockname()[1], "--log-level=warning")
    # The administrator is made only when somebody can be told the password.
    with served(folder) as (_, port):
        assert "password" in pathlib.Path(folder, f"out-{port}").read_text()


@case
def a_database_of_a_newer_program(folder):
    import sqlite3
    assert run(folder, "migrate").returncode == 0
    with contextlib.closing(sqlite3.connect(pathlib.Path(folder, "var/agentpay.db"))) as database:
        columns = [row[1] for row in database.execute("PRAGMA table_info(migrations)")]
        database.execute(f"INSERT INTO migrations ({', '.join(columns)}) SELECT {', '.join('9999' if c == 'number' else c for c in columns)}"
                         " FROM migrations LIMIT 1")
        database.commit()
    refused(folder, 1, "newer agentpay", "serve", "--log-level=warning")
    refused(folder, 1, "newer agentpay", "migrate")


@case
def migrate_twice_changes_nothing(folder):
    for _ in range(2):
        answer = run(folder, "migrate")
        assert answer.returncode == 0 and answer.stdout == "business data: up to date\naudit trail: up to date\n", answer


@case
def keys_and_data_are_for_the_owner_alone(folder):
    with served(folder):
        for path in pathlib.Path(folder, "var").rglob("*"):
            assert path.stat().st_mode & 0o077 == 0, f"{path} is readable by others"


@case
def it_stops_when_told(folder):
    for how in (signal.SIGTERM, signal.SIGINT):
        with served(folder) as (process, port):
            assert ask(port, "GET", "/readyz")[0] == 200
            process.send_signal(how)
            assert process.wait(30) == 0
            with contextlib.suppress(ConnectionError):
                ask(port, "GET", "/healthz")
                raise AssertionError("it still answers")


@case
def a_second_signal_ends_it_at_once(folder):
    with served(folder) as (process, port):
        # A request that never ends keeps the orderly stop waiting.
        with socket.create_connection(("127.0.0.1", port)) as slow:
            slow.sendall(b"POST /v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{")
            time.sleep(0.3)
            process.send_signal(signal.SIGTERM)
            time.sleep(0.3)
            begin = time.monotonic()
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                assert process.wait(30) in (-signal.SIGTERM, 0)
            assert time.monotonic() - begin < 5


@case
def the_example_is_made_once_and_shown_again(folder):
    shown = []
    port = free_port()
    for _ in range(2):
        with served(folder, "--example", port=port):
            out = pathlib.Path(folder, f"out-{port}")
            deadline = time.monotonic() + 30
            while "PAYMENT=" not in out.read_text() or "; echo\n\n" not in out.read_text():
                assert time.monotonic() < deadline, out.read_text()
                time.sleep(0.05)
            shown.append(out.read_text())
            lines = re.findall(r"^(?:TOKEN|PAYMENT|curl).*$", shown[-1], re.M)
            assert len(lines) == 3
            answer = subprocess.run(["bash", "-c", "\n".join(lines)], capture_output=True, text=True, timeout=60).stdout.splitlines()
            for line in answer:
                assert json.loads(line)["status"] == "settled", line
            assert len(answer) == 2
    tail = [text[text.index("The first administrator"):] for text in shown]
    assert tail[0] == tail[1]
    assert pathlib.Path(folder, "var/example.env").stat().st_mode & 0o777 == 0o600


@case
def any_process_is_an_entrance_but_not_to_the_inside(folder):
    common = {"AGENTPAY_SERVICE_KEY": "the-key"}
    with served(folder, **common) as (_, far):
        urls = [f"--{name}-url=http://127.0.0.1:{far}" for name in ("identity", "ledger", "router", "audit", "notify")]
        with served(folder, "--target=risk", *urls, **common) as (_, near):
            text = pathlib.Path(folder, f"out-{far}").read_text()
            email, password = re.search(r"email\s+(\S+)\s+password\s+(\S+)", text).groups()
            status, body = ask(near, "POST", "/v1/auth/login", {"Content-Type": "application/json"},
                               json.dumps({"email": email, "password": password}))
            assert status == 200, body
            bearer = {"Authorization": "Bearer " + json.loads(body)["access_token"]}
            assert ask(near, "GET", "/v1/accounts?limit=1", bearer)[0] == 200
            assert ask(near, "GET", "/v1/accounts?limit=x", bearer)[0] == 400
            assert ask(near, "GET", "/v1/risk/alerts", bearer)[0] == 200
            assert ask(near, "GET", "/v1/accounts")[0] == 401
            inside = {"Content-Type": "application/json", "Agentpay-Service-Key": "the-key"}
            assert ask(near, "POST", "/internal/v1/ledger/account-get", inside, "{}")[0] == 404
            assert ask(near, "POST", "/internal/v1/ledger/account_get", inside, "{}")[0] == 404
            assert ask(near, "POST", "/internal/v1/risk/assess", {"Content-Type": "application/json"}, "{}")[0] == 401


def main():
    wanted = sys.argv[1:]
    chosen = [one for one in cases if not wanted or one.__name__ in wanted]
    failures = 0
    for number, one in enumerate(chosen, 1):
        with tempfile.TemporaryDirectory(prefix="agentpay-cli-") as folder:
            try:
                one(folder)
                print(f"ok {number} - {one.__name__}", flush=True)
            except Exception as error:  # a test's failure of whatever kind is its result
                failures += 1
                print(f"not ok {number} - {one.__name__}\n# " + f"{type(error).__name__}: {error}".replace("\n", "\n# "), flush=True)
    print(f"1..{len(chosen)}")
    sys.exit(1 if failures else 0)


main()
