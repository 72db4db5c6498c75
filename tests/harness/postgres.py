"""A PostgreSQL server that a test may stop and start again, in a folder of its own."""
import os
import pathlib
import pwd
import shutil
import subprocess
import tempfile

from harness import running


def _tool(name):
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob(f"*/bin/{name}")) or [shutil.which(name)]
    if not found[-1]:
        raise running.Missing(f"PostgreSQL's {name} is not there")
    return str(found[-1])


class Server:
    """Use as a context manager; `url` is its maintenance database."""

    def __init__(self):
        self.initdb, self.pg_ctl = _tool("initdb"), _tool("pg_ctl")
        self.folder = tempfile.mkdtemp(prefix="agentpay-postgres-")
        # The server refuses to run as root.
        self.user = {}
        if os.geteuid() == 0:
            try:
                person = pwd.getpwnam("postgres")
            except KeyError as error:
                raise running.Missing("there is no user postgres to run a server as") from error
            os.chown(self.folder, person.pw_uid, person.pw_gid)
            self.user = {"user": person.pw_uid, "group": person.pw_gid, "extra_groups": []}
        [self.port] = running.free_ports(1)
        self.url = f"postgres://agentpay@127.0.0.1:{self.port}/postgres"

    def _run(self, *command):
        result = subprocess.run(command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                text=True, timeout=90, **self.user)
        if result.returncode:
            raise RuntimeError(f"{' '.join(command)}: {result.stderr}")

    def __enter__(self):
        try:
            self._run(self.initdb, "-D", "data", "-U", "agentpay", "-A", "trust", "-E", "UTF8", "--no-locale", "-N")
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        subprocess.run([self.pg_ctl, "-D", "data", "-m", "immediate", "-w", "stop"], cwd=self.folder, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, timeout=60, check=False, **self.user)
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self):
        self._run(self.pg_ctl, "-D", "data", "-l", "server.log", "-w", "-t", "60", "-o",
                  f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 -c max_connections=200", "start")

    def stop(self, how="fast"):
        self._run(self.pg_ctl, "-D", "data", "-m", how, "-w", "stop")
