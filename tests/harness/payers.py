"""Clients that pay while something goes wrong, and the proof that nothing was lost or doubled."""
import collections
import contextlib
import decimal
import http.client
import threading
import time

from harness.tap import expect

FUNDS = "1000000.00"


class Payers:
    """Threads that make book payments, each with its own key, repeated until it is answered 201. Use as a context
    manager; leaving it waits for the last answers."""

    def __init__(self, platform, agent, threads=4, pause=0.0, seconds=60):
        self.platform, self.agent, self.pause, self.seconds = platform, agent, pause, seconds
        self.stop = threading.Event()
        self.answers = {}                      # key -> payment
        self.refusals = collections.Counter()  # (status, code) of the answers that were no payment
        self.strange = []                      # answers that nobody could act upon
        self.threads = [threading.Thread(target=self._run, args=(number,), daemon=True) for number in range(threads)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, kind, *_):
        self.stop.set()
        deadline = time.monotonic() + (self.seconds if kind is None else 1)
        for thread in self.threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        if kind is None:
            expect(not any(thread.is_alive() for thread in self.threads),
                   f"after {self.seconds} s there are still payments without an answer; refusals: {dict(self.refusals)}")

    def _run(self, number):
        count = 0
        while not self.stop.is_set():
            count += 1
            self._pay(f"payer-{number}-{count}")
            time.sleep(self.pause)

    def _pay(self, key):
        body = {"amount": "1.00", "currency": "USD", "payee": {"account_id": self.agent["payee"], "name": "Shop"}, "rail": "book"}
        while key not in self.answers:
            with contextlib.suppress(OSError, http.client.HTTPException, ValueError):
                answer = self.platform.call("POST", "/v1/payments", body, self.agent["token"], key, timeout=20)
                document = answer.json
                if answer.status == 201:
                    self.answers[key] = document["id"]
                    return
                self.refusals[answer.status, document.get("code")] += 1
                if answer.status not in (503, 507, 409) or not document.get("code"):
                    self.strange.append(f"{answer.status} {answer.body[:300]}")
            time.sleep(0.05)

    def wait_for(self, more, seconds=30):
        """Until so many more payments are acknowledged."""
        wanted, deadline = len(self.answers) + more, time.monotonic() + seconds
        while len(self.answers) < wanted:
            expect(time.monotonic() < deadline, f"payments do not go on: {len(self.answers)} acknowledged, {wanted} wanted in {seconds} s; "
                   f"refusals {dict(self.refusals)}\n{self.platform.log_tail()}")
            time.sleep(0.02)

    def wait_for_refusal(self, seconds=30):
        seen, deadline = sum(self.refusals.values()), time.monotonic() + seconds
        while sum(self.refusals.values()) == seen:
            expect(time.monotonic() < deadline, f"no payment was refused within {seconds} s")
            time.sleep(0.02)


def pages(platform, path, token):
    rows, cursor = [], ""
    while True:
        page = platform.made(platform.call("GET", f"{path}{'&' if '?' in path else '?'}limit=200{cursor}", token=token))
        rows += page["data"]
        if not page["has_more"]:
            return rows
        cursor = "&cursor=" + page["next_cursor"]


def prove(platform, agent, payers, funds=FUNDS):
    """Every acknowledged payment is there, once, paid for and written into an intact trail."""
    expect(not payers.strange, "answers that no client could act upon:\n" + "\n".join(payers.strange[:10]))
    admin = platform.login(*platform.admin_credentials())
    payments = pages(platform, f"/v1/payments?agent_id={agent['agent']['id']}", admin)
    known = {payment["id"] for payment in payments}
    lost = [key for key, payment in payers.answers.items() if payment not in known]
    expect(not lost, f"{len(lost)} acknowledged payments are lost, such as {lost[:5]}")
    expect(len(payments) == len(payers.answers), f"{len(payments)} payments for {len(payers.answers)} keys")
    expect(all(payment["status"] == "settled" for payment in payments), str(collections.Counter(p["status"] for p in payments)))
    spent = sum((decimal.Decimal(str(p["amount"])) + decimal.Decimal(str(p["fee"] or 0)) for p in payments), decimal.Decimal(0))
    wallet = platform.made(platform.call("GET", f"/v1/accounts/{agent['wallet']}", token=admin))
    expect(decimal.Decimal(str(wallet["balance"])) == decimal.Decimal(funds) - spent, f"the wallet has {wallet['balance']}, {spent} of {funds} was spent")
    expect(decimal.Decimal(str(wallet["held"])) == 0, f"{wallet['held']} is held for ever")
    report = platform.made(platform.call("GET", "/v1/reports/trial-balance", token=admin))
    expect(all(row["balanced"] for row in report["currencies"]), f"the books do not balance: {report['currencies']}")
    deadline, missing = time.monotonic() + 60, known
    while missing and time.monotonic() < deadline:
        seen = {event["entity_id"] for event in pages(platform, "/v1/audit/events?event_type=payment.settled", admin)}
        missing = known - seen
    expect(not missing, f"the trail tells nothing of the end of {len(missing)} payments")
    verdict = platform.made(platform.call("GET", "/v1/audit/verify", token=admin))
    expect(verdict["intact"], f"the trail is not intact: {verdict}")
