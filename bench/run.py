"""Measures the platform on this machine and prints a table; writes var/bench/NAME.json.

usage: run.py payments [--seconds N] [--engines sqlite,postgres] [--connections 1,16,64,256]

The file is a list of {"name", "value", "unit", "ratio", "ratio_to"}; the names are a contract that later runs are
compared by. Every figure has its yardstick beside it, measured in the same run: contenders take turns (A B C A B C),
the median of the rounds counts, and fdatasync of 4 KiB is probed before and after, because it moves by a factor of 40
on shared machines.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests"))
from harness import running  # noqa: E402

AGENTS = 64
ROUNDS = 3


def fdatasync_ms(folder, count=200):
    with tempfile.NamedTemporaryFile(dir=folder) as file:
        times = []
        for _ in range(count):
            os.pwrite(file.fileno(), b"x" * 4096, 0)
            start = time.perf_counter()
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - start)
    return statistics.median(times) * 1000


def load(port, connections, seconds, path, requests=None):
    command = [os.environ["AGENTPAY_LOAD"], "--port", str(port), "--connections", str(connections), "--seconds", str(seconds), "--path", path]
    if requests:
        command += ["--requests", str(requests)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def resident_mib(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("no VmRSS")


class Table:
    def __init__(self):
        self.rows = []

    def add(self, name, value, unit, ratio_to=None):
        base = next((row["value"] for row in self.rows if row["name"] == ratio_to), None)
        self.rows.append({"name": name, "value": round(value, 4), "unit": unit,
                          "ratio": round(value / base, 4) if base else None, "ratio_to": ratio_to})

    def print(self):
        for row in self.rows:
            beside = f"{row['ratio']:8.3f} x {row['ratio_to']}" if row["ratio"] is not None else ""
            print(f"{row['name']:32}{row['value']:14.3f} {row['unit']:6}{beside}")

    def write(self, name):
        folder = pathlib.Path("var/bench")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.json").write_text(json.dumps(self.rows, indent=1) + "\n")


def start_measured(table):
    """Time from the start of the program to its first answer, and memory after five quiet seconds."""
    times = []
    with running.Platform() as platform:
        for _ in range(5):
            platform.stop()
            start = time.perf_counter()
            platform.start()
            times.append(time.perf_counter() - start)
        time.sleep(5)
        table.add("start.ready", statistics.median(times), "s")
        table.add("rss.idle", resident_mib(platform.processes[0].child.pid), "MiB")


def payment_requests(platform):
    """One line for each of many agents: its token and a payment on the book rail."""
    path = platform.folder / "requests"
    lines = []
    for number in range(AGENTS):
        agent = platform.example(f"load{number}", funds="10000000.00", daily_limit="1000000000.00", monthly_limit="1000000000.00")
        body = {"amount": "1.00", "currency": "USD", "payee": {"account_id": agent["payee"], "name": "Shop"}}
        lines.append(agent["token"] + "\t" + json.dumps(body))
    path.write_text("\n".join(lines) + "\n")
    return path


def wait_until_quiet(platform, seconds=30):
    """Until every consumer has handled its events: what one load left must not be on the next one's account."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        lags = [line.rsplit(" ", 1)[1] for line in platform.call("GET", "/metrics").body.splitlines() if line.startswith("event_lag{")]
        if not any(float(lag) for lag in lags):
            break
        time.sleep(0.1)


def check_answers(result, what):
    wrong = {status: count for status, count in result["statuses"].items() if status not in ("200", "201")}
    if wrong or result["failed"]:
        raise SystemExit(f"bench: {what}: answers {result['statuses']}, {result['failed']} connections failed")


def payments(arguments):
    table = Table()
    table.add("fdatasync.before", fdatasync_ms("."), "ms")
    start_measured(table)
    engines = arguments.engines.split(",")
    counts = [int(text) for text in arguments.connections.split(",")]
    # The velocity rules are there to stop exactly this; every other check is on.
    settings = {"AGENTPAY_RISK_REVIEW_THRESHOLD": "100", "AGENTPAY_RISK_BLOCK_THRESHOLD": "101", "AGENTPAY_LOG_LEVEL": "warning"}
    platforms = {engine: running.Platform(engine, settings=settings) for engine in engines}
    results = {}
    try:
        for engine, platform in platforms.items():
            platform.__enter__()
            platform.requests = payment_requests(platform)
        for connections in counts:
            for _ in range(ROUNDS):
                first = next(iter(platforms.values()))
                results.setdefault(("floor", connections), []).append(load(first.port, connections, arguments.seconds, "/healthz"))
                for engine, platform in platforms.items():
                    result = load(platform.port, connections, arguments.seconds, "/v1/payments", platform.requests)
                    check_answers(result, engine)
                    wait_until_quiet(platform)
                    results.setdefault((f"payments.{engine}", connections), []).append(result)
        for engine, platform in platforms.items():
            table.add(f"rss.loaded.{engine}", resident_mib(platform.processes[0].child.pid), "MiB")
            balance = platform.call("GET", "/v1/reports/trial-balance", token=platform.login(*platform.admin_credentials())).json
            if not all(row["balanced"] for row in balance["currencies"]):
                raise SystemExit("bench: the trial balance does not balance")
    finally:
        for platform in platforms.values():
            platform.__exit__(None, None, None)
    median = lambda rows, key: statistics.median(row[key] for row in rows)
    for connections in counts:
        for name in ["floor"] + [f"payments.{engine}" for engine in engines]:
            rows = results[name, connections]
            full = f"{name}.c{connections}"
            table.add(full, median(rows, "rate"), "1/s", None if name == "floor" else f"floor.c{connections}")
            table.add(full + ".p50", median(rows, "p50_us") / 1000, "ms")
            table.add(full + ".p99", median(rows, "p99_us") / 1000, "ms")
    table.add("fdatasync.after", fdatasync_ms("."), "ms")
    table.print()
    table.write("payments")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("name", nargs="?", default="payments", choices=["payments"])
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--engines", default="sqlite,postgres")
    parser.add_argument("--connections", default="1,16,64,256")
    payments(parser.parse_args())


main()
