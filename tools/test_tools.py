"""Plants a violation of each kind and sees the tool find it: test_tools.py includes|style|openapi."""
import pathlib
import subprocess
import sys
import tempfile

TOOLS = pathlib.Path(__file__).resolve().parent

# (file, text, what the tool must say; None: it must be silent)
INCLUDES = [
    ("src/base/a.c", '#include "base/a.h"\n#include <stdio.h>\n', None),
    ("src/base/a.c", '#include "money/money.h"\n', "base may not know money"),
    ("src/money/a.c", '#include "platform/sql.h"\n', "money may not know platform"),
    ("src/platform/a.c", '#include "ledger/ledger_api.h"\n', "platform may not know ledger"),
    ("src/router/a.c", '#include "ledger/ledger_api.h"\n#include "platform/sql.h"\n#include "router_sql.h"\n', None),
    ("src/router/a.c", '#include "ledger/ledger_store.h"\n', "router may know only the *_api.h of ledger"),
    ("src/router/a.c", '#include "ledger_sql.h"\n', "ledger_sql.h belongs to ledger"),
    ("src/router/a.c", '#include "app/config.h"\n', "router may know only the *_api.h of app"),
    ("src/ledger/ledger_rules.c", '#include "money/money.h"\n#include "ledger/ledger_rules.h"\n', None),
    ("src/ledger/ledger_rules.c", '#include "platform/sql.h"\n', "rules may not know platform"),
    ("src/ledger/ledger_rules.c", "#include <time.h>\n", "rules may not use <time.h>"),
    ("src/ledger/ledger_rules.h", "#include <pthread.h>\n", "rules may not use <pthread.h>"),
    ("src/platform/a.c", "#include <sqlite3.h>\n", None),
    ("src/platform/a.h", "#include <sqlite3.h>\n", "sqlite may not show in a header"),
    ("src/app/a.c", "#include <curl/curl.h>\n", "app may not use libcurl"),
    ("src/platform/a.c", "#include <jansson.h>\n", "no header that this tool knows"),
    ("src/misc/a.c", "", "misc is no layer"),
    ("src/app/a.c", '#include "ledger/ledger_store.h"\n', None),
]
STYLE = [
    ("src/platform/metrics.def", "METRIC(nobody_total, COUNTER, \"\", \"\")\n", "nobody_total is declared, but not used"),
    ("src/base/a.c", "/* malloc(1) */ char *s = \"strcpy(\";\n", None),
    ("src/base/arena.c", "void *p = calloc(1, 1);\n", None),
    ("src/risk/a.c", "void *p = malloc(1);\n", "only base/arena.c allocates"),
    ("src/risk/a.c", "strcpy(a, b);\n", "use a writer"),
    ("src/risk/a.c", "sprintf(a, b);\n", "use a writer"),
    ("src/money/a.c", "double x;\n", "no binary fraction"),
    ("src/risk/a.c", "int x;\n" * 601, "split it by noun"),
    ("README.md", "see /wo" + "rk/x\n", "a path of one machine"),
    ("src/risk/a.c", "/* TO" + "DO */\n", "finish it"),
]


def run(*arguments):
    answer = subprocess.run([sys.executable, *map(str, arguments)], capture_output=True, text=True)
    return answer.returncode, answer.stdout + answer.stderr


def planted(tool, rows):
    for file, text, wanted in rows:
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, file)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            status, output = run(TOOLS / tool, folder)
        good = status == 0 if wanted is None else status == 1 and wanted in output
        yield good, f"{file}: {wanted or 'nothing'}", output


def twice_included():
    with tempfile.TemporaryDirectory() as folder:
        for name in ("a.c", "b.c"):
            path = pathlib.Path(folder, "src/platform", name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("#include <sodium.h>\n")
        status, output = run(TOOLS / "check_includes.py", folder)
    yield status == 1 and "more than one file" in output, "one library, two files", output


def openapi():
    document = "openapi: 3.1.0\npaths:\n  /a:\n    get:\n      tags: [x]\n  /b/{id}:\n    post:\n"
    both = "GET /a\\nPOST /b/{id}"
    rows = [(both, None), (both + "\\nGET /c", "GET /c is answered, but not documented"),
            ("GET /a", "POST /b/{id} is documented, but not answered"), ("", "no route at all")]
    for answer, wanted in rows:
        with tempfile.TemporaryDirectory() as folder:
            path, program = pathlib.Path(folder, "api.yaml"), pathlib.Path(folder, "program")
            path.write_text(document)
            program.write_text(f"#!/bin/sh\nprintf '{answer}\\n'\n")
            program.chmod(0o755)
            status, output = run(TOOLS / "check_openapi.py", path, program)
        yield status == 0 if wanted is None else status == 1 and wanted in output, wanted or "the same", output


def includes():
    yield from planted("check_includes.py", INCLUDES)
    yield from twice_included()


def style():
    yield from planted("check_style.py", STYLE)


def main():
    cases = {"includes": includes, "style": style, "openapi": openapi}[sys.argv[1]]
    failures = 0
    for number, (good, name, output) in enumerate(cases(), 1):
        print(f"{'ok' if good else 'not ok'} {number} - {name}")
        if not good:
            failures += 1
            print("# " + output.replace("\n", "\n# "))
    sys.exit(1 if failures else 0)


main()
