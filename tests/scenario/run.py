"""Runs scenarios: short dialogues over HTTP against a running platform, four ways (SQLite, PostgreSQL; one, five
processes). Prints TAP.

usage: run.py [--mode ENGINE-SHAPE] [NAME...]

A scenario is a text file, one step a line, and what belongs to the step indented under it:

    # why this story matters
    as admin                                     the first administrator; or any name made by `agent` or `user`
    agent shopper                                a new agent: ${shopper.id}, ${shopper.wallet}, ${shopper.payee} (an
                                                 account to pay to), ${shopper.cash}; consent ${shopper.consent}
        funds = "100.00"                         settings of the agent and its consent
        per_payment_limit = "50.00"
    user auditor ["auditor"]                     a new user with these roles
    POST /v1/payments {"amount": "1.00", …}      a request; a body may go on in lines indented with a |
        > X-Request-Id: abc                      a header to send (Idempotency-Key is made unless one is given; "none")
        < 201                                    the status expected (2xx when nothing is said)
        < X-Request-Id: abc                      a header of the answer
        .status == "settled"                     a value of the answer: ==, !=, ~ (regular expression), absent
        payment = .id                            keep a value as ${payment}
    eventually GET /v1/payments/${payment}       the request again, until all that is expected holds (30 s)
    sandbox POST /v1/script {…}                  a request to the rail simulator
    raw "GET / HTTP/1.1\\r\\n\\r\\n"                 bytes on a connection of their own; the answer's status and body
    kill                                         kill -9 of every process, and a new start
    restart                                      an orderly stop and a new start
    wait 0.5                                     seconds

`${name}` stands for a kept value, `${unique}` for a text that differs in every run.
"""
import argparse
import json
import os
import pathlib
import re
import socket
import sys
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from harness import running  # noqa: E402

EVENTUALLY_SECONDS = 30
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD")


class Failed(Exception):
    pass


def steps_of(text):
    """(line number, step, its indented lines) for each step of a scenario."""
    steps = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if line[0] in " \t":
            if not steps:
                raise Failed(f"line {number}: indented without a step")
            steps[-1][2].append((number, line.strip()))
        else:
            steps.append((number, line.rstrip(), []))
    return steps


def value_at(document, path):
    """The value at .a.b[0].c of a JSON document; KeyError when it is not there."""
    for part in re.findall(r"\.([\w-]+)|\[(-?\d+)\]", path):
        try:
            document = document[part[0]] if part[0] else document[int(part[1])]
        except (KeyError, IndexError, TypeError) as error:
            raise KeyError(path) from error
    return document


class Story:
    def __init__(self, platform):
        self.platform = platform
        self.values = {"unique": os.urandom(5).hex()}
        self.tokens = {"nobody": None}
        self.token = None

    def fill(self, text):
        def pick(match):
            if match.group(1) not in self.values:
                raise Failed(f"${{{match.group(1)}}} is not kept")
            value = self.values[match.group(1)]
            return value if isinstance(value, str) else json.dumps(value)
        return re.sub(r"\$\{([\w.-]+)\}", pick, text)

    def run(self, text):
        for number, step, lines in steps_of(text):
            try:
                self.step(self.fill(step), [(n, line) for n, line in lines])
            except Failed as error:
                raise Failed(f"line {number}: {step}\n{error}") from None

    def step(self, step, lines):
        word, _, rest = step.partition(" ")
        if word in METHODS:
            return self.exchange(lambda: self.call(word, rest, lines), lines)
        if word == "eventually":
            method, _, rest = rest.partition(" ")
            return self.until(lambda: self.call(method, rest, lines), lines)
        if word == "sandbox":
            method, _, rest = rest.partition(" ")
            return self.exchange(lambda: self.call(method, rest, lines, self.platform.sandbox_port), lines)
        handler = getattr(self, "do_" + word, None)
        if handler is None:
            raise Failed(f"there is no step {word}")
        return handler(rest, lines)

    # --- steps

    def do_as(self, name, _):
        if name == "admin" and name not in self.tokens:
            self.tokens[name] = self.platform.login(*self.platform.admin_credentials())
        if name not in self.tokens:
            raise Failed(f"nobody is called {name}")
        self.token = self.tokens[name]

    def do_agent(self, name, lines):
        settings = {key.strip(): json.loads(self.fill(value)) for key, _, value in (line.partition("=") for _, line in lines)}
        made = self.platform.example(name, **settings)
        self.tokens[name] = made["token"]
        self.tokens.setdefault("admin", made["admin"])
        self.values |= {f"{name}.{key}": value for key, value in made.items() if isinstance(value, str)}
        self.values |= {f"{name}.id": made["agent"]["id"], f"{name}.client_secret": made["agent"]["client_secret"]}

    def do_user(self, rest, _):
        name, _, roles = rest.partition(" ")
        self.do_as("admin", [])
        email, password = f"{name}-{os.urandom(4).hex()}@example.com", "correct horse battery staple"
        user = self.platform.made(self.platform.call("POST", "/v1/users", {
            "email": email, "password": password, "name": name, "roles": json.loads(roles)}, self.token))
        self.values |= {f"{name}.id": user["id"], f"{name}.email": email, f"{name}.password": password}
        self.tokens[name] = self.platform.login(email, password)

    def do_raw(self, rest, lines):
        data = json.loads(rest)
        self.exchange(lambda: raw(self.platform.port, data.encode("latin-1")), lines)

    def do_kill(self, _rest, _lines):
        self.platform.kill()
        self.platform.start()

    def do_restart(self, _rest, _lines):
        statuses = self.platform.stop()
        if any(statuses):
            raise Failed(f"exit statuses {statuses}")
        self.platform.start()

    def do_wait(self, seconds, _):
        time.sleep(float(seconds))

    # --- requests

    def call(self, method, rest, lines, port=None):
        path, _, body = rest.partition(" ")
        body += "".join(self.fill(line[1:]) for _, line in lines if line.startswith("|"))
        headers = {}
        for _, line in lines:
            if line.startswith(">"):
                name, _, value = self.fill(line[1:]).partition(":")
                headers[name.strip()] = value.strip()
        key = headers.pop("Idempotency-Key", None)
        return self.platform.call(method, path, body or None, None if port else self.token,
                                  False if key == "none" or port else key, headers, port)

    def exchange(self, call, lines):
        answer = call()
        for number, line in lines:
            try:
                self.expect(answer, self.fill(line) if line[0] not in ">|" else line)
            except Failed as error:
                raise Failed(f"  line {number}: {line}\n  {error}\n  answer: {answer.status} {answer.body[:1000]}") from None
        if not any(re.match(r"<\s*\d", line) for _, line in lines) and not 200 <= answer.status < 300:
            raise Failed(f"  answer: {answer.status} {answer.body[:1000]}")

    def until(self, call, lines):
        deadline = time.monotonic() + EVENTUALLY_SECONDS
        while True:
            try:
                return self.exchange(call, lines)
            except Failed:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def expect(self, answer, line):
        if line[0] in ">|":
            return
        if line[0] == "<":
            return self.expect_head(answer, line[1:].strip())
        kept = re.match(r"([\w.-]+)\s*=\s*(\.\S+)$", line)
        checked = re.match(r"(\.\S*)\s*(==|!=|~|absent)\s*(.*)$", line)
        if not kept and not checked:
            raise Failed("not understood")
        try:
            value = value_at(answer.json, (kept.group(2) if kept else checked.group(1)))
        except (KeyError, ValueError):
            if checked and checked.group(2) == "absent":
                return
            raise Failed("the answer has no such value") from None
        if kept:
            self.values[kept.group(1)] = value
            return
        operator, wanted = checked.group(2), checked.group(3)
        if operator == "~":
            wanted = json.loads(wanted) if wanted.startswith('"') else wanted
            good = re.search(wanted, value if isinstance(value, str) else json.dumps(value)) is not None
        elif operator == "absent":
            good = False
        else:
            good = (value == json.loads(wanted)) == (operator == "==")
        if not good:
            raise Failed(f"it is {json.dumps(value)}")

    @staticmethod
    def expect_head(answer, wanted):
        if wanted.isdigit():
            if answer.status != int(wanted):
                raise Failed(f"the status is {answer.status}")
            return
        name, _, value = wanted.partition(":")
        actual = answer.headers.get(name.strip().lower())
        if actual is None or not re.search(value.strip(), actual):
            raise Failed(f"the header is {actual!r}")


def raw(port, data):
    """Sends bytes as they are; what comes back until the server closes or two quiet seconds."""
    with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
        connection.sendall(data)
        received = b""
        try:
            while chunk := connection.recv(65536):
                received += chunk
        except (TimeoutError, ConnectionResetError):
            pass
    head, _, body = received.decode("latin-1").partition("\r\n\r\n")
    lines = head.split("\r\n")
    status = int(lines[0].split(" ")[1]) if lines[0].startswith("HTTP/") else 0
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    return running.Answer(status, headers, body)


class Tap:
    def __init__(self):
        self.count = self.failures = 0

    def row(self, good, name, why="", skip=""):
        self.count += 1
        self.failures += not good
        print(f"{'ok' if good else 'not ok'} {self.count} - {name}" + (f" # SKIP {skip}" if skip else ""), flush=True)
        for line in why.splitlines():
            print("# " + line, flush=True)


def run_mode(engine, shape, files, tap):
    mode = f"{engine}-{shape}"
    try:
        with running.Platform(engine, shape) as platform:
            for file in files:
                name = f"{mode} {file.stem}"
                try:
                    Story(platform).run(file.read_text())
                    tap.row(True, name)
                except Failed as error:
                    tap.row(False, name, str(error))
                except Exception:  # a crash of the platform must not hide the other results
                    tap.row(False, name, traceback.format_exc() + platform.log_tail())
        tap.row(not any(platform.exit_statuses), f"{mode} stops in order", f"exit statuses {platform.exit_statuses}\n{platform.log_tail()}"
                if any(platform.exit_statuses) else "")
    except running.Missing as error:
        tap.row(bool(not os.environ.get("CI")), f"{mode} (all scenarios)", str(error), skip="" if os.environ.get("CI") else str(error))
    except Exception:
        tap.row(False, f"{mode} (start)", traceback.format_exc())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--mode", action="append", help="sqlite-one, sqlite-five, postgres-one, postgres-five; default: all four")
    parser.add_argument("names", nargs="*", help="scenarios by name; default: all")
    arguments = parser.parse_args()
    files = [file for file in sorted(HERE.glob("*.scenario")) if not arguments.names or file.stem in arguments.names]
    tap = Tap()
    for engine, shape in running.MODES:
        if not arguments.mode or f"{engine}-{shape}" in arguments.mode:
            run_mode(engine, shape, files, tap)
    print(f"1..{tap.count}")
    sys.exit(tap.failures > 0 or tap.count == 0)


main()
