"""A day of an agent economy in a minute: starts the platform with simulated rails, lets agents make a few thousand mixed
payments, and prints what became of them. Everything happens in a temporary folder and on 127.0.0.1.

usage: demo.py [--payments N] [--seed N]
"""
import argparse
import collections
import json
import os
import pathlib
import random
import re
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests"))
from harness import running  # noqa: E402

AGENTS = ["procurement", "travel", "cloud-bills", "marketing", "subscriptions", "logistics", "payroll-helper", "research"]
WAITING = {"created", "awaiting_approval", "authorized", "submitted", "accepted", "unknown"}
BANKS = {"us": {"routing_number": "021000021", "account_number": "123456789"}, "card": {"card_token": "tok_merchant_7"}}


def say(text=""):
    print(text, flush=True)


def draw_payment(chance, agent):
    """One payment of the day: (kind, body). Most are ordinary; some must be declined, reviewed, or fail."""
    amount = f"{chance.randint(1, 250)}.{chance.randint(0, 99):02}"
    kind = chance.choices(["book", "external", "over its consent", "to a stranger", "fails at the rail", "needs approval"],
                          [60, 25, 5, 2, 4, 4])[0]
    payee = {"account_id": agent["payee"], "name": "Supplier"}
    if kind == "external":
        payee = {"name": chance.choice(["Hotel Aurora", "Cloud Inc", "Paper & Co"]), **BANKS[chance.choice(list(BANKS))]}
    elif kind == "over its consent":
        amount = "15000.01"
    elif kind == "to a stranger":
        payee = {"name": "Stranger", "routing_number": "011000015", "account_number": str(chance.randint(10**8, 10**9))}
        amount = f"{chance.randint(10000, 12000)}.00"
    elif kind == "fails at the rail":
        payee = {"name": "Closed Shop [sandbox: decline=R03]", **BANKS["us"]}
    elif kind == "needs approval":
        amount = f"{chance.randint(1000, 1500)}.00"
    return kind, {"amount": amount, "currency": "USD", "payee": payee, "reference": f"{kind} {chance.randint(1, 10**6)}"}


def load(platform, requests, count):
    result = subprocess.run([os.environ["AGENTPAY_LOAD"], "--port", str(platform.port), "--connections", "16", "--seconds", "120", "--limit",
                             str(count), "--path", "/v1/payments", "--requests", str(requests)], check=True, capture_output=True, text=True)
    return json.loads(result.stdout)


def pages(platform, path, token):
    rows, cursor = [], ""
    while True:
        page = platform.made(platform.call("GET", f"{path}?limit=200{cursor}", token=token))
        rows += page["data"]
        if not page["has_more"]:
            return rows
        cursor = "&cursor=" + page["next_cursor"]


def wait_for_rails(platform, token, seconds=60):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        payments = pages(platform, "/v1/payments", token)
        if not any(payment["status"] in WAITING - {"awaiting_approval"} for payment in payments):
            break
        time.sleep(0.5)
    return payments


def decide_waiting(platform, payments, token, chance):
    """The owner looks at what waits: most is approved, some declined."""
    waiting = [payment for payment in payments if payment["status"] == "awaiting_approval"]
    for payment in waiting:
        decision = "approve" if chance.random() < 0.7 else "decline"
        platform.call("POST", f"/v1/payments/{payment['id']}/approve", {"decision": decision, "reason": "reviewed by the owner"}, token)
    return len(waiting)


def print_outcomes(payments):
    say("\nWhat became of the payments")
    for (status, code), count in sorted(collections.Counter((p["status"], p["decline_code"]) for p in payments).items(), key=lambda row: -row[1]):
        say(f"  {count:6}  {status}" + (f" ({code})" if code else ""))
    for end in ("settled", "failed"):
        rails = collections.Counter(payment["rail"] or "none" for payment in payments if payment["status"] == end)
        say(f"  {end} by rail: " + (", ".join(f"{rail} {count}" for rail, count in rails.most_common()) or "none"))


def group_accounts(accounts):
    """Accounts that differ by a number only, such as the agents' wallets, together; the largest sums first."""
    groups = collections.defaultdict(list)
    for account in accounts:
        groups[re.sub(r" [0-9a-f]{8}$", "", account["name"]), account["type"]].append(account)
    return sorted(groups.items(), key=lambda row: -abs(sum(account["balance"] for account in row[1])))


def print_books(platform, token):
    report = platform.made(platform.call("GET", "/v1/reports/trial-balance", token=token))
    for currency in report["currencies"]:
        say(f"\nTrial balance {currency['currency']}, {len(currency['accounts'])} accounts")
        for (name, kind), accounts in group_accounts(currency["accounts"]):
            say(f"  {len(accounts):4}  {name:32}{kind:10}{sum(row['balance'] for row in accounts):16,.2f}")
        say(f"  debits {currency['debits']:,.2f}, credits {currency['credits']:,.2f}: " + ("it balances" if currency["balanced"] else "IT DOES NOT BALANCE"))
    return all(currency["balanced"] for currency in report["currencies"])


def print_alerts(platform, token):
    alerts = pages(platform, "/v1/risk/alerts", token)
    say(f"\nRisk alerts: {len(alerts)}")
    for (kind, decision), count in collections.Counter((a["alert_type"], a["decision"]) for a in alerts).most_common():
        say(f"  {count:6}  {kind} -> {decision}")


def verify_trail(platform):
    time.sleep(1)  # let the last events arrive in the trail
    result = subprocess.run([running.binary(), "audit", "verify", "--audit-database-url", platform.audit_database_url], capture_output=True, text=True)
    say("\n$ agentpay audit verify\n" + result.stdout.strip() + result.stderr.strip())
    return result.returncode == 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--payments", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=20261123)
    arguments = parser.parse_args()
    chance = random.Random(arguments.seed)
    count = min(arguments.payments, 4000)
    say("Starting the platform and the simulated rails …")
    sandbox = ["--seed", str(arguments.seed), "--decline", "3%", "--timeout-before", "0.3%", "--timeout-after", "0.3%", "--duplicate", "3%",
               "--hang-ms", "3000"]
    with running.Platform(sandbox=sandbox, settings={"AGENTPAY_LOG_LEVEL": "warning"}) as platform:
        say(f"Making an owner, {len(AGENTS)} agents, their consents and accounts …")
        agents = [platform.example(name, funds="400000.00", per_payment_limit="15000.00", daily_limit="250000.00", monthly_limit="500000.00",
                                   approval_threshold="999.99") for name in AGENTS]
        token = agents[0]["admin"]
        kinds, lines = collections.Counter(), []
        for _ in range(count):
            agent = chance.choice(agents)
            kind, body = draw_payment(chance, agent)
            kinds[kind] += 1
            lines.append(agent["token"] + "\t" + json.dumps(body))
        path = platform.folder / "requests"
        path.write_text("\n".join(lines) + "\n")
        say(f"A day of {count} payments: " + ", ".join(f"{number} {kind}" for kind, number in kinds.most_common()))
        result = load(platform, path, count)
        say(f"\n{result['requests']} answers in {result['seconds']:.1f} s: {result['rate']:.0f} payments/s, p50 {result['p50_us'] / 1000:.1f} ms, "
            f"p99 {result['p99_us'] / 1000:.1f} ms (" + ", ".join(f"{number} with HTTP {status}" for status, number in result["statuses"].items()) + ")")
        payments = wait_for_rails(platform, token)
        decided = decide_waiting(platform, payments, token, chance)
        say(f"{decided} payments waited for their owner, who has decided on each.")
        payments = wait_for_rails(platform, token)
        print_outcomes(payments)
        balances = print_books(platform, token)
        print_alerts(platform, token)
        intact = verify_trail(platform)
    sys.exit(not (balances and intact))


main()
