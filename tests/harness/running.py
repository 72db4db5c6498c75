"""Starts the platform for a test: engine sqlite or postgres, all services in one process or five processes.

Everything lives in a temporary folder and on free ports of 127.0.0.1; every process is ended by its own id.
"""
import base64
import contextlib
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.parse

SOURCE = pathlib.Path(__file__).resolve().parents[2]
SERVICES = {"identity": ["identity"], "ledger": ["ledger"], "risk": ["risk"], "router": ["router"],
            "audit": ["audit", "notify"]}
MODES = [(engine, shape) for engine in ("sqlite", "postgres") for shape in ("one", "five")]
READY_SECONDS = 60


class Missing(Exception):
    """A component that this test needs is not there."""


def binary():
    path = os.environ.get("AGENTPAY_BINARY")
    if not path:
        raise Missing("AGENTPAY_BINARY does not name the program to test")
    return path


def plain_environment():
    """Ours without what the test run itself or its user has set for agentpay."""
    return {name: value for name, value in os.environ.items() if not name.startswith("AGENTPAY_")}


def free_ports(count):
    """Ports that were free a moment ago, all different."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def program(folder, *arguments, seconds=60, user=None, **environment):
    """Runs the program to its end in a folder and gives its status, stdout and stderr."""
    with contextlib.ExitStack() as stack:
        path = binary() if user is None else reachable_copy(stack)
        return subprocess.run([path, *arguments], cwd=folder, env=dict(plain_environment(), **environment), capture_output=True,
                              text=True, errors="replace", timeout=seconds, stdin=subprocess.DEVNULL, user=user)


def reachable_copy(stack):
    """A copy of the program where every user may run it: the source tree may stand in somebody's private folder."""
    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="agentpay-program-"))
    os.chmod(folder, 0o755)
    copy = shutil.copy(binary(), folder)
    os.chmod(copy, 0o755)
    return copy


class Postgres:
    """A fresh database on a PostgreSQL server: that of the test run (AGENTPAY_TEST_POSTGRES), or another."""

    def __init__(self, url=None):
        url = url or os.environ.get("AGENTPAY_TEST_POSTGRES")
        if not url:
            raise Missing("AGENTPAY_TEST_POSTGRES does not name a PostgreSQL server")
        self.server = url
        self.names = []

    def _psql(self, sql):
        subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", self.server, "-c", sql], check=True,
                       stdout=subprocess.DEVNULL)

    def create(self, what):
        name = f"agentpay_{what}_{os.getpid()}_{time.monotonic_ns()}"
        self._psql(f"CREATE DATABASE {name}")
        self.names.append(name)
        parts = urllib.parse.urlsplit(self.server)
        return urllib.parse.urlunsplit(parts._replace(path="/" + name))

    def drop_all(self):
        for name in self.names:
            with contextlib.suppress(subprocess.CalledProcessError):
                self._psql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        self.names = []


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body) if self.body else None


def request(port, method, path, body=None, headers=None, timeout=30):
    """One request on a connection of its own. `body` is a JSON value, or text or bytes sent as they are."""
    headers = dict(headers or {})
    if body is not None and not isinstance(body, (str, bytes)):
        body = json.dumps(body)
    if body is not None:
        headers.setdefault("Content-Type", "application/json")
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request(method, path, body.encode() if isinstance(body, str) else body, headers)
        answer = connection.getresponse()
        return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read().decode())
    finally:
        connection.close()


class Process:
    def __init__(self, name, arguments, environment, log):
        self.name, self.arguments, self.environment, self.log = name, arguments, environment, log
        self.child = None

    def start(self):
        with open(self.log, "ab") as log:
            self.child = subprocess.Popen(self.arguments, env=self.environment, stdin=subprocess.DEVNULL,
                                          stdout=log, stderr=log)

    def end(self, how=signal.SIGTERM, seconds=30):
        """Ends the process and gives its exit status."""
        if self.child is None:
            return None
        if self.child.poll() is None:
            self.child.send_signal(how)
        try:
            status = self.child.wait(seconds)
        except subprocess.TimeoutExpired:
            self.child.kill()
            status = self.child.wait()
        self.child = None
        return status


class Platform:
    """A running platform with its rail simulator. Use as a context manager."""

    def __init__(self, engine="sqlite", shape="one", settings=None, sandbox=(), folder=None, server=None):
        self.engine, self.shape = engine, shape
        self.settings = dict(settings or {})
        self.sandbox_arguments = list(sandbox)
        self.folder = pathlib.Path(folder or tempfile.mkdtemp(prefix="agentpay-test-"))
        self.keep_folder = folder is not None
        self.postgres = Postgres(server) if engine == "postgres" else None
        self.processes = []
        self.secret = "whsec_" + base64.b64encode(os.urandom(32)).decode()
        self.log = self.folder / "platform.log"
        self._plan()

    def _plan(self):
        if self.postgres:
            database, audit = self.postgres.create("main"), self.postgres.create("audit")
        else:
            database, audit = f"sqlite:{self.folder}/agentpay.db", f"sqlite:{self.folder}/audit.db"
        self.database_url, self.audit_database_url = database, audit
        names = list(SERVICES) if self.shape == "five" else ["all"]
        *ports, self.sandbox_port = free_ports(len(names) + 1)
        self.ports = dict(zip(names, ports))
        self.port = self.ports.get("router") or self.ports["all"]
        common = dict(plain_environment(), AGENTPAY_DATABASE_URL=database, AGENTPAY_AUDIT_DATABASE_URL=audit,
                      AGENTPAY_KEY_FOLDER=str(self.folder / "keys"), AGENTPAY_SERVICE_KEY="test-service-key-0123456789abcdef",
                      AGENTPAY_RAILS_URL=f"http://127.0.0.1:{self.sandbox_port}", AGENTPAY_RAILS_SECRET=self.secret,
                      AGENTPAY_PUBLIC_URL=f"http://127.0.0.1:{self.port}", AGENTPAY_RATE_LIMIT="0", AGENTPAY_LOG="json",
                      AGENTPAY_WEBHOOK_PRIVATE_ADDRESSES="true")
        common.update(self.settings)
        for name in names:
            environment = dict(common, AGENTPAY_LISTEN=f"127.0.0.1:{self.ports[name]}")
            if name != "all":
                environment["AGENTPAY_TARGET"] = ",".join(SERVICES[name])
                for other, port in self.ports.items():
                    if other != name:
                        for service in SERVICES[other]:
                            environment[f"AGENTPAY_{service.upper()}_URL"] = f"http://127.0.0.1:{port}"
            self.processes.append(Process(name, [binary(), "serve"], environment, self.log))
        self.sandbox = Process("sandbox", [binary(), "sandbox", "--listen", f"127.0.0.1:{self.sandbox_port}", "--database-url",
                                           f"sqlite:{self.folder}/sandbox.db", "--settle-ms", "400", "--hang-ms", "15000"]
                               + self.sandbox_arguments, dict(plain_environment(), AGENTPAY_RAILS_SECRET=self.secret), self.log)

    def __enter__(self):
        try:
            self.sandbox.start()
            self.start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, *_):
        self.exit_statuses = self.stop()
        self.sandbox.end()
        if self.postgres:
            self.postgres.drop_all()
        if not self.keep_folder and not os.environ.get("AGENTPAY_KEEP"):
            shutil.rmtree(self.folder, ignore_errors=True)

    def start(self):
        for process in self.processes:
            process.start()
            if process.name == "identity":  # it makes the keys that the others share
                self._wait_ready(process)
        for process in self.processes:
            self._wait_ready(process)

    def _wait_ready(self, process):
        port = self.ports[process.name]
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            if process.child.poll() is not None:
                raise RuntimeError(f"{process.name} ended with {process.child.returncode}:\n{self.log_tail()}")
            with contextlib.suppress(OSError, http.client.HTTPException):
                if request(port, "GET", "/healthz", timeout=5).status == 200:
                    return
            time.sleep(0.02)
        raise RuntimeError(f"{process.name} is not ready after {READY_SECONDS} s:\n{self.log_tail()}")

    def stop(self, how=signal.SIGTERM):
        """Ends all services, callers before callees; their exit statuses."""
        return [process.end(how) for process in reversed(self.processes)]

    def kill(self):
        for process in self.processes:
            process.end(signal.SIGKILL)

    def log_tail(self, lines=25):
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def admin_credentials(self):
        """The first administrator's, as the start printed them."""
        import re
        for _ in range(100):
            text = self.log.read_text(errors="replace")
            found = re.search(r"email\s+(\S+@\S+)\s+password\s+(\S+)", text, re.S)
            if found:
                return found.group(1), found.group(2)
            time.sleep(0.05)
        raise RuntimeError(f"no administrator's credentials were printed:\n{self.log_tail()}")

    def call(self, method, path, body=None, token=None, key=None, headers=None, port=None, timeout=30):
        headers = dict(headers or {})
        if token:
            headers.setdefault("Authorization", "Bearer " + token)
        if method == "POST" and key is not False:
            headers.setdefault("Idempotency-Key", key or os.urandom(12).hex())
        return request(port or self.port, method, path, body, headers, timeout)

    def login(self, email, password):
        answer = self.call("POST", "/v1/auth/login", {"email": email, "password": password}, key=False)
        if answer.status != 200:
            raise RuntimeError(f"login: {answer.status} {answer.body}")
        return answer.json["access_token"]

    def agent_token(self, client_id, client_secret):
        answer = self.call("POST", "/v1/oauth/token", urllib.parse.urlencode(
            {"grant_type": "client_credentials", "client_id": client_id, "client_secret": client_secret}), key=False,
            headers={"Content-Type": "application/x-www-form-urlencoded"})
        if answer.status != 200:
            raise RuntimeError(f"token: {answer.status} {answer.body}")
        return answer.json["access_token"]

    def made(self, answer):
        if answer.status not in (200, 201):
            raise RuntimeError(f"{answer.status} {answer.body}")
        return answer.json

    def example(self, name="bot", currency="USD", funds="10000.00", **consent):
        """An agent with a token, a funded wallet, a consent, and a payee's account in the same ledger."""
        admin = self.login(*self.admin_credentials())
        unique = os.urandom(4).hex()
        agent = self.made(self.call("POST", "/v1/agents", {"name": name, "email": f"{name}-{unique}@example.com"}, admin))
        account = lambda kind, title, **more: self.made(self.call("POST", "/v1/accounts", {
            "type": kind, "currency": currency, "name": title, **more}, admin))["id"]
        cash = account("asset", f"Cash {unique}", allow_negative=True)
        wallet = account("liability", f"Wallet {unique}", agent_id=agent["id"])
        payee = account("liability", f"Payee {unique}")
        if funds:
            self.made(self.call("POST", "/v1/transactions", {"debit_account_id": cash, "credit_account_id": wallet,
                                                             "amount": funds, "currency": currency}, admin))
        limits = {"per_payment_limit": "100000.00", "daily_limit": "1000000.00", "monthly_limit": "10000000.00"}
        given = self.made(self.call("POST", "/v1/consents", {"agent_id": agent["id"], "currency": currency, **limits, **consent}, admin))
        return {"admin": admin, "agent": agent, "cash": cash, "wallet": wallet, "payee": payee, "consent": given["id"],
                "token": self.agent_token(agent["client_id"], agent["client_secret"])}
