"""Checks that the API's document names exactly the routes that the program answers: check_openapi.py DOCUMENT PROGRAM."""
import re
import subprocess
import sys

METHODS = {"get", "post", "put", "patch", "delete"}


def documented(path):
    """METHOD PATH of each operation: under `paths:`, paths are indented by two blanks, methods by four."""
    routes, inside, address = set(), False, None
    with open(path, encoding="utf-8") as document:
        for line in document:
            if re.match(r"\S", line):
                inside = line.startswith("paths:")
            elif inside and (match := re.match(r"  (/\S*):\s*$", line)):
                address = match.group(1)
            elif inside and (match := re.match(r"    (\w+):\s*$", line)) and match.group(1) in METHODS:
                routes.add((match.group(1).upper(), address))
    return routes


def answered(program):
    output = subprocess.run([program, "routes"], check=True, capture_output=True, text=True).stdout
    return {tuple(line.split()) for line in output.splitlines() if line}


def main():
    document, program = documented(sys.argv[1]), answered(sys.argv[2])
    problems = [f"{method} {path} is answered, but not documented" for method, path in sorted(program - document)]
    problems += [f"{method} {path} is documented, but not answered" for method, path in sorted(document - program)]
    if not document or not program:
        problems.append("one side has no route at all")
    print("\n".join(problems) or f"{len(document)} routes, the same on both sides")
    sys.exit(1 if problems else 0)


main()
