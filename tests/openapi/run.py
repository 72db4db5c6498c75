"""Checks what the platform really answers against api/openapi.yaml, and every event against api/events: one story
calls every operation, and each answer, stored event and delivered webhook must be as documented; and nobody may call
what the roles do not allow. Prints TAP.

An answer is right when its status is documented, the body fits the schema, every member is documented, and a required
member is there. A schema of an answer names the members that are always there, and that is checked too.
"""
import base64
import datetime
import hashlib
import hmac
import http.server
import json
import os
import pathlib
import re
import sqlite3
import sys
import threading
import time
import traceback
import urllib.parse

import yaml

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from harness import running  # noqa: E402

API = running.SOURCE / "api"
EVENTUALLY_SECONDS = 15
METHODS = ("get", "post", "put", "patch", "delete")
TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}


class Wrong(Exception):
    pass


# --- JSON Schema, as far as our documents use it

class Schemas:
    """Validates against the schemas of one document. A keyword that is not known here is an error, not ignored."""
    SAYING_NOTHING = {"description", "examples", "default", "title", "$schema", "$id"}

    def __init__(self, document):
        self.document = document

    def resolve(self, schema):
        while "$ref" in schema:
            node = self.document
            for part in schema["$ref"].removeprefix("#/").split("/"):
                node = node[part]
            schema = node
        return schema

    def properties(self, schema):
        """Of an object and of what it is composed of."""
        schema = self.resolve(schema)
        found = dict(schema.get("properties", {}))
        for part in schema.get("allOf", []):
            found |= self.properties(part)
        return found

    def check(self, value, schema, where="", is_part=False):
        schema = self.resolve(schema)
        if isinstance(value, dict) and not is_part and self.properties(schema):
            unknown = sorted(set(value) - set(self.properties(schema)))
            if unknown:
                raise Wrong(f"{where}: {unknown} not documented")
        for keyword, wanted in schema.items():
            if keyword not in self.SAYING_NOTHING:
                getattr(self, "on_" + keyword, self.on_unknown)(value, wanted, where, schema)

    def on_unknown(self, _value, _wanted, where, schema):
        raise Wrong(f"{where}: this test knows not every keyword of {sorted(schema)}")

    def on_type(self, value, wanted, where, _):
        def fits(name):
            if name in ("number", "integer"):
                return isinstance(value, (int, float) if name == "number" else int) and not isinstance(value, bool)
            return isinstance(value, TYPES[name])
        if not any(fits(name) for name in (wanted if isinstance(wanted, list) else [wanted])):
            raise Wrong(f"{where}: {json.dumps(value)} is no {wanted}")

    def on_enum(self, value, wanted, where, _):
        if value not in wanted:
            raise Wrong(f"{where}: {json.dumps(value)} is none of {wanted}")

    def on_const(self, value, wanted, where, _):
        if value != wanted:
            raise Wrong(f"{where}: {json.dumps(value)} is not {wanted}")

    def on_required(self, value, wanted, where, _):
        if isinstance(value, dict) and set(wanted) - set(value):
            raise Wrong(f"{where}: lacks {sorted(set(wanted) - set(value))}")

    def on_properties(self, value, wanted, where, _):
        for name, schema in wanted.items() if isinstance(value, dict) else ():
            if name in value:
                self.check(value[name], schema, f"{where}.{name}")

    def on_additionalProperties(self, value, wanted, where, schema):
        for name in set(value) - set(schema.get("properties", {})) if isinstance(value, dict) else ():
            if wanted is False:
                raise Wrong(f"{where}: {name} not documented")
            if wanted is not True:
                self.check(value[name], wanted, f"{where}.{name}")

    def on_items(self, value, wanted, where, _):
        for place, item in enumerate(value) if isinstance(value, list) else ():
            self.check(item, wanted, f"{where}[{place}]")

    def on_oneOf(self, value, wanted, where, _):
        faults = []
        for schema in wanted:
            try:
                self.check(value, schema, where)
            except Wrong as fault:
                faults.append(str(fault))
        if len(wanted) - len(faults) != 1:
            raise Wrong(f"{where}: fits {len(wanted) - len(faults)} alternatives: {faults}")

    def on_allOf(self, value, wanted, where, _):
        for schema in wanted:
            self.check(value, schema, where, is_part=True)

    def on_pattern(self, value, wanted, where, _):
        if isinstance(value, str) and not re.search(wanted, value):
            raise Wrong(f"{where}: {value!r} does not match {wanted}")

    def on_format(self, value, wanted, where, _):
        if wanted != "date-time":
            raise Wrong(f"{where}: this test does not know the format {wanted}")
        if isinstance(value, str) and not (re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", value)
                                           and datetime.datetime.fromisoformat(value)):
            raise Wrong(f"{where}: {value!r} is no time")

    def on_minimum(self, value, wanted, where, _):
        if isinstance(value, (int, float)) and value < wanted:
            raise Wrong(f"{where}: {value} is less than {wanted}")

    def on_maximum(self, value, wanted, where, _):
        if isinstance(value, (int, float)) and value > wanted:
            raise Wrong(f"{where}: {value} is more than {wanted}")

    def on_exclusiveMinimum(self, value, wanted, where, _):
        if isinstance(value, (int, float)) and value <= wanted:
            raise Wrong(f"{where}: {value} is not more than {wanted}")

    def on_minLength(self, value, wanted, where, _):
        if isinstance(value, str) and len(value) < wanted:
            raise Wrong(f"{where}: {value!r} is shorter than {wanted}")

    def on_maxLength(self, value, wanted, where, _):
        if isinstance(value, str) and len(value) > wanted:
            raise Wrong(f"{where}: {value!r} is longer than {wanted}")

    def on_minItems(self, value, wanted, where, _):
        if isinstance(value, list) and len(value) < wanted:
            raise Wrong(f"{where}: {len(value)} items")


class Contract:
    """The document: which operation a request is, and whether its answer is right."""

    def __init__(self, document):
        self.document = document
        self.schemas = Schemas(document)
        self.faults = []
        self.succeeded = set()  # operation ids

    def operations(self):
        for path, item in self.document["paths"].items():
            for method in METHODS:
                if method in item:
                    yield method, path, item[method]

    def find(self, method, target):
        path = urllib.parse.urlsplit(target).path
        for known, template, operation in sorted(self.operations(), key=lambda row: row[1].count("{")):
            pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template))
            if known == method.lower() and re.fullmatch(pattern, path):
                return operation
        raise Wrong(f"{method} {path} is not documented")

    def check(self, method, target, answer):
        try:
            self.check_answer(self.find(method, target), answer)
        except Wrong as fault:
            self.faults.append(f"{method} {target} {answer.status}: {fault}")

    def check_answer(self, operation, answer):
        documented = operation["responses"]
        if answer.status < 400 and str(answer.status) not in documented:
            raise Wrong("the status is not documented")
        response = self.schemas.resolve(documented.get(str(answer.status), documented["default"]))
        if answer.status < 400:
            self.succeeded.add(operation["operationId"])
        if "content" not in response:
            if answer.body:
                raise Wrong("a body where none is documented")
            return
        media = answer.headers.get("content-type", "").split(";")[0]
        if media not in response["content"]:
            raise Wrong(f"the type {media!r} is not documented")
        if media.endswith("json"):
            self.schemas.check(answer.json, response["content"][media]["schema"])

    def loose_schemas(self):
        """Schemas of answers with members none of which is promised."""
        seen, loose = set(), []

        def visit(schema, where, is_part=False):
            name = schema.get("$ref", where)
            schema = self.schemas.resolve(schema)
            if id(schema) in seen:
                return
            seen.add(id(schema))
            if schema.get("properties") and not schema.get("required") and not is_part:
                loose.append(name)
            for member, inner in schema.get("properties", {}).items():
                visit(inner, f"{name}.{member}")
            if schema.get("items"):
                visit(schema["items"], name + "[]")
            for inner in schema.get("oneOf", []):
                visit(inner, name)
            for inner in schema.get("allOf", []):  # one part's promises are enough: a page's
                visit(inner, name, is_part="$ref" not in inner)

        for _, _, operation in self.operations():
            for status, response in operation["responses"].items():
                for content in self.schemas.resolve(response).get("content", {}).values():
                    visit(content["schema"], f"{operation['operationId']} {status}")
        return loose


# --- The story

class Listener(http.server.ThreadingHTTPServer):
    """Takes webhooks."""
    daemon_threads = True

    def __init__(self):
        self.bodies, self.traces = [], []
        listener = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                listener.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
                listener.traces.append(self.headers["traceparent"])
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Story:
    def __init__(self, platform, contract):
        self.platform, self.contract, self.token = platform, contract, None

    def call(self, method, path, body=None, expect=None, key=None, token="", headers=None):
        answer = self.platform.call(method, path, body, self.token if token == "" else token, key=key, headers=headers)
        self.contract.check(method, path, answer)
        if answer.status != (expect or answer.status) or (expect is None and answer.status >= 400):
            raise Wrong(f"{method} {path}: {answer.status} {answer.body}")
        return answer.json if answer.body and answer.headers["content-type"].endswith("json") else None

    def until(self, path, good):
        deadline = time.monotonic() + EVENTUALLY_SECONDS
        while not good(document := self.call("GET", path)):
            if time.monotonic() > deadline:
                raise Wrong(f"GET {path}: still {json.dumps(document)}")
            time.sleep(0.1)
        return document

    def tell_everything(self, listener):
        self.people()
        self.money()
        self.webhooks(listener)
        self.paying()
        self.watching(listener)
        self.leaving()

    def people(self):
        email, password = self.platform.admin_credentials()
        for path in ("/healthz", "/readyz", "/metrics", "/openapi.yaml", "/", "/.well-known/jwks.json",
                     "/.well-known/oauth-authorization-server"):
            self.call("GET", path)
        session = self.call("POST", "/v1/auth/login", {"email": email, "password": password}, key=False)
        self.token = self.call("POST", "/v1/auth/refresh", {"refresh_token": session["refresh_token"]}, key=False)["access_token"]
        self.call("GET", "/v1/me")
        user = self.call("POST", "/v1/users", {"email": "eve@example.com", "password": "correct horse battery",
                                               "name": "Eve", "roles": ["auditor"]})
        self.call("POST", "/v1/users", {"email": "EVE@example.com", "password": "correct horse battery", "roles": ["admin"]},
                  expect=409)
        self.call("GET", "/v1/users?limit=1")
        self.call("GET", "/v1/users/" + user["id"])
        self.agent = self.call("POST", "/v1/agents", {"name": "Buyer", "email": "buyer@example.com"})
        self.call("GET", "/v1/agents?limit=1")
        self.call("GET", "/v1/agents/" + self.agent["id"])
        self.call("POST", f"/v1/agents/{self.agent['id']}/suspend", {})
        self.call("POST", f"/v1/agents/{self.agent['id']}/activate", {})
        self.call("GET", "/v1/agents/nobody", expect=400)

    def money(self):
        account = lambda kind, name, **more: self.call("POST", "/v1/accounts", {"type": kind, "currency": "USD", "name": name, **more})["id"]
        cash, self.wallet = account("asset", "Cash", allow_negative=True), account("liability", "Wallet", agent_id=self.agent["id"])
        self.payee = account("liability", "Payee")
        sides = {"debit_account_id": cash, "credit_account_id": self.wallet, "currency": "USD"}
        moved = self.call("POST", "/v1/transactions", {**sides, "amount": 500, "description": "Funds"}, expect=400)
        moved = self.call("POST", "/v1/transactions", {**sides, "amount": "500.00", "description": "Funds"})
        self.call("POST", "/v1/transactions", {"kind": "reversal", "reference_id": moved["id"], "amount": "1.00", "currency": "USD"})
        for end in ("post", "void"):
            hold = self.call("POST", "/v1/transactions", {**sides, "amount": "2.00", "kind": "hold"})
            self.call("POST", "/v1/transactions", {"kind": end, "reference_id": hold["id"]})
        self.call("GET", "/v1/transactions/" + moved["id"])
        self.call("GET", f"/v1/transactions?account_id={cash}")
        self.call("GET", "/v1/accounts?currency=USD")
        self.call("GET", "/v1/accounts/" + cash)
        limits = {"currency": "USD", "per_payment_limit": "100.00", "daily_limit": "300.00", "monthly_limit": "500.00"}
        self.consent = self.call("POST", "/v1/consents", {"agent_id": self.agent["id"], **limits, "approval_threshold": "50.00",
                                                          "purpose": "Books", "expires_at": "2099-01-01T00:00:00Z"})
        spare = self.call("POST", "/v1/consents", {"agent_id": self.agent["id"], **limits, "payees": [self.payee],
                                                   "rails": ["book"]}, expect=None)
        self.call("POST", f"/v1/consents/{spare['id']}/revoke", {"reason": "Not needed"})
        self.call("GET", "/v1/consents/" + spare["id"])
        self.call("GET", "/v1/consents?agent_id=" + self.agent["id"])

    def webhooks(self, listener):
        self.webhook = self.call("POST", "/v1/webhooks", {"url": f"http://127.0.0.1:{listener.server_port}/", "event_types": ["*"]})
        path = "/v1/webhooks/" + self.webhook["id"]
        for action in ("disable", "enable", "rotate-secret"):
            self.call("POST", f"{path}/{action}", {})
        self.call("GET", path)
        self.call("GET", "/v1/webhooks")
        other = self.call("POST", "/v1/webhooks", {"url": "http://127.0.0.1:1/", "event_types": ["risk.*"]})
        self.call("DELETE", "/v1/webhooks/" + other["id"])

    def pay(self, amount, expect=None, token=None, **payment):
        payment = {"amount": amount, "currency": "USD", "payee": {"account_id": self.payee}, "consent_id": self.consent["id"], **payment}
        return self.call("POST", "/v1/payments", payment, expect, token=token or self.agent_token)

    def paying(self):
        self.agent_token = self.call("POST", "/v1/oauth/token", urllib.parse.urlencode({
            "grant_type": "client_credentials", "client_id": self.agent["client_id"], "client_secret": self.agent["client_secret"]}),
            key=False, token=None, headers={"Content-Type": "application/x-www-form-urlencoded"})["access_token"]
        self.call("GET", "/v1/me", token=self.agent_token)
        self.call("GET", "/v1/rails")
        bank = {"name": "Bob", "routing_number": "021000021", "account_number": "12345678"}
        self.call("POST", "/v1/quotes", {"amount": "10.00", "currency": "USD", "payee": bank}, token=self.agent_token)
        self.call("POST", "/v1/quotes", {"amount": "10.00", "currency": "JPY", "payee": bank}, token=self.agent_token, expect=400)
        paid = self.pay("10.00", reference="Order 1", description="Books")
        self.call("POST", f"/v1/payments/{paid['id']}/refund", {"amount": "4.00", "reason": "Damaged"})
        self.pay("1.00", dry_run=True)
        self.pay("100.01", expect=403)
        waiting = [self.pay("60.00")["id"] for _ in range(3)]
        self.call("POST", f"/v1/payments/{waiting[0]}/approve", {"decision": "approve"})
        self.call("POST", f"/v1/payments/{waiting[1]}/approve", {"decision": "decline", "reason": "Too dear"})
        self.call("POST", f"/v1/payments/{waiting[2]}/cancel", {}, token=self.agent_token)
        self.call("POST", f"/v1/payments/{waiting[0]}/cancel", {}, expect=409)
        sent = self.pay("20.00", payee=bank)["id"]
        settled = self.until("/v1/payments/" + sent, lambda payment: payment["status"] == "settled")
        self.notification(settled["attempts"][0]["id"])
        self.call("POST", f"/v1/payments/{sent}/refund", {})
        self.until("/v1/payments/" + sent, lambda payment: payment["status"] == "refunded")
        refused = self.pay("5.00", payee={**bank, "name": "[sandbox: decline=R03]"}, rail="ach")["id"]
        self.until("/v1/payments/" + refused, lambda payment: payment["status"] in ("declined", "failed"))
        self.pay("1.00", payee={"iban": "KP12345678901234567890"}, expect=400)
        self.call("GET", "/v1/payments?limit=2")
        self.call("GET", "/v1/payments", token=self.agent_token)
        self.call("GET", f"/v1/accounts/{self.wallet}/statement?limit=5")
        self.call("GET", "/v1/reports/trial-balance")

    def notification(self, attempt):
        body = json.dumps({"type": "payment.settled", "attempt_id": attempt,
                           "network_reference": "x", "at": "2026-01-01T00:00:00Z"})
        identifier, at = "msg_1", str(int(time.time()))
        key = base64.b64decode(self.platform.secret.removeprefix("whsec_"))
        signature = base64.b64encode(hmac.new(key, f"{identifier}.{at}.{body}".encode(), hashlib.sha256).digest()).decode()
        self.call("POST", "/v1/rails/notifications", body, key=False, token=None, headers={
            "webhook-id": identifier, "webhook-timestamp": at, "webhook-signature": "v1," + signature})
        self.call("POST", "/v1/rails/notifications", body, key=False, token=None, expect=401)

    def watching(self, listener):
        self.until("/v1/risk/alerts", lambda page: "data" in page)
        deliveries = f"/v1/webhooks/{self.webhook['id']}/deliveries"
        delivery = self.until(deliveries + "?limit=200", lambda page: any(d["status"] == "delivered" for d in page["data"]))["data"][-1]
        self.call("POST", f"/v1/webhooks/deliveries/{delivery['id']}/replay", {})
        self.until("/v1/audit/events?event_type=payment.refunded", lambda page: len(page["data"]) == 2)
        self.call("GET", "/v1/audit/events?limit=200")
        self.call("GET", "/v1/audit/verify")
        if not listener.bodies:
            raise Wrong("no webhook was delivered")
        for body, trace in zip(listener.bodies, listener.traces):
            if b"payment_id" in body and not re.fullmatch("00-[0-9a-f]{32}-[0-9a-f]{16}-01", trace or ""):
                raise Wrong(f"a webhook without the trace of its event: {body} {trace}")

    def leaving(self):
        fresh = "an even better passphrase"
        email, password = self.platform.admin_credentials()
        self.call("POST", "/v1/auth/password", {"current_password": password, "new_password": fresh}, key=False)
        self.token = self.call("POST", "/v1/auth/login", {"email": email, "password": fresh}, key=False, token=None)["access_token"]
        self.call("POST", "/v1/auth/logout", None, key=False)
        self.call("GET", "/v1/me", expect=401)


# --- Who may what

SEEING = {"me", "listAgents", "getAgent", "listConsents", "getConsent", "listPayments", "getPayment", "listRails", "listAccounts",
          "getAccount", "getStatement", "listTransactions", "getTransaction"}
MAY = {
    "agent": SEEING | {"createPayment", "cancelPayment", "createQuote", "changePassword"},
    "auditor": SEEING | {"trialBalance", "listAlerts", "listAuditEvents", "verifyAudit", "changePassword"},
}
INTERNAL = ("identity/authenticate", "identity/consent_check", "ledger/post", "ledger/account_get", "ledger/account_of_agent",
            "risk/assess")


def check_access(platform, contract):
    """Faults of every operation asked for by nobody, an agent and an auditor, at every process. The requests themselves
    are wrong, so that who may get past the gate changes nothing; and who may not learns nothing but that."""
    made = platform.example("outsider")
    email = f"auditor-{os.urandom(4).hex()}@example.com"
    platform.made(platform.call("POST", "/v1/users", {"email": email, "password": "correct horse battery", "roles": ["auditor"]},
                                made["admin"]))
    tokens = {"nobody": None, "agent": made["token"], "auditor": platform.login(email, "correct horse battery")}
    faults = []
    for port in platform.ports.values():
        for method, path, operation in contract.operations():
            name, is_public = operation["operationId"], operation.get("security") == []
            if is_public or name == "logout":
                continue
            for who, token in tokens.items():
                body = {"no_such_member": 1} if method == "post" else None
                path = path.replace("{id}", "nothing")
                status = platform.call(method.upper(), path, body, token, port=port).status
                wanted = 401 if token is None else None if name in MAY[who] else 403
                if status != wanted if wanted else status in (401, 403) or status >= 500:
                    faults.append(f"{who} {name} {status} at {port}")
        for path in INTERNAL:
            status = platform.call("POST", "/internal/v1/" + path, {}, made["admin"], port=port,
                                   headers={"Agentpay-Service-Key": "guessed"}).status
            if status not in (401, 404):
                faults.append(f"internal {path} {status} at {port}")
    return faults


# --- Events

def check_events(bodies):
    """Faults of event bodies against the schemas of their types; and how many types there were."""
    faults, types = set(), set()
    for body in bodies:
        event = json.loads(body)
        types.add(event["event_type"])
        file = API / "events" / (event["event_type"] + ".json")
        try:
            if not file.exists():
                raise Wrong("there is no schema")
            schema = json.loads(file.read_text())
            Schemas(schema).check(event, schema)
        except Wrong as fault:
            faults.add(f"{event['event_type']}: {fault}")
    return sorted(faults), types


class Tap:
    def __init__(self):
        self.count = self.failures = 0

    def row(self, name, faults):
        self.count += 1
        self.failures += bool(faults)
        print(f"{'not ok' if faults else 'ok'} {self.count} - {name}")
        for line in faults:
            print("# " + line.replace("\n", "\n# "))


def run(shape, contract, tap):
    listener = Listener()
    with running.Platform("sqlite", shape) as platform:
        try:
            access = check_access(platform, contract)
            tap.row(f"{shape}: nobody gets past what the table of roles says", access)
            Story(platform, contract).tell_everything(listener)
            fault = []
        except Exception:
            fault = [traceback.format_exc()]
        tap.row(f"{shape}: every step of the story", fault)
        tap.row(f"{shape}: every answer is as documented", contract.faults)
        tap.row(f"{shape}: every operation was seen to succeed", sorted(
            operation["operationId"] for _, _, operation in contract.operations() if operation["operationId"] not in contract.succeeded))
        platform.stop()
        with sqlite3.connect(platform.folder / "agentpay.db") as database:
            stored = [row[0] for row in database.execute("SELECT body FROM outbox")]
        faults, types = check_events(stored)
        tap.row(f"{shape}: every stored event is as documented", faults or ([] if len(types) > 15 else [f"only {sorted(types)}"]))
        faults, _ = check_events(listener.bodies)
        tap.row(f"{shape}: every delivered event is as documented", faults)
    listener.shutdown()


def main():
    document = yaml.safe_load((API / "openapi.yaml").read_text())
    tap = Tap()
    tap.row("every schema of an answer promises its members", Contract(document).loose_schemas())
    for shape in ("one", "five"):
        run(shape, Contract(document), tap)
    print(f"1..{tap.count}")
    sys.exit(tap.failures > 0)


main()
