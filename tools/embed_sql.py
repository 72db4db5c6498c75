"""Turns a folder of SQL into a C header: queries.sql into named queries, NNNN_what.sql into migrations.

usage: embed_sql.py SERVICE OUTPUT FILE...

In queries.sql each query follows a line `-- name: NAME` or `-- name: NAME sqlite|postgres`. A migration is one file, or
a pair NNNN_what.sqlite.sql / NNNN_what.postgres.sql. A comment `/*postgres: TEXT*/` or `/*sqlite: TEXT*/` becomes TEXT
on that engine alone.
"""
import pathlib
import re
import sys

ENGINES = ("sqlite", "postgres")


def text_for(sql, engine):
    def pick(match):
        return match.group(2).strip() if match.group(1) == engine else ""
    return re.sub(r"/\*(sqlite|postgres):(.*?)\*/", pick, sql, flags=re.S).strip()


def literal(sql):
    lines = [line for line in sql.splitlines() if line.strip() and not line.strip().startswith("--")]
    escaped = (line.replace("\\", "\\\\").replace('"', '\\"') for line in lines)
    return "\n".join(f'\t\t"{line}\\n"' for line in escaped) or '\t\t""'


def read_queries(path):
    queries = {}
    name, engines, lines = None, ENGINES, []

    def keep():
        if name:
            for engine in engines:
                queries.setdefault(name, {})[engine] = text_for("\n".join(lines), engine).rstrip(";")

    for line in path.read_text().splitlines():
        match = re.match(r"--\s*name:\s*(\w+)(?:\s+(sqlite|postgres))?\s*$", line)
        if match:
            keep()
            name, lines = match.group(1), []
            engines = (match.group(2),) if match.group(2) else ENGINES
        else:
            lines.append(line)
    keep()
    for name, texts in queries.items():
        if set(texts) != set(ENGINES):
            sys.exit(f"{path}: query {name} has no text for {set(ENGINES) - set(texts)}")
    return queries


def read_migrations(paths):
    migrations = {}
    for path in sorted(paths):
        match = re.match(r"(\d{4})_(\w+)(?:\.(sqlite|postgres))?\.sql$", path.name)
        if not match:
            sys.exit(f"{path}: not NNNN_what[.engine].sql")
        number, what, engine = int(match.group(1)), match.group(2), match.group(3)
        for one in (engine,) if engine else ENGINES:
            migrations.setdefault((number, what), {})[one] = text_for(path.read_text(), one)
    return migrations


def main():
    service, output, *files = sys.argv[1:]
    paths = [pathlib.Path(name) for name in files]
    out = ["/* Made from the folder's sql/ by tools/embed_sql.py. */", "#pragma once", "", '#include "platform/sql.h"', ""]
    for path in paths:
        if path.name != "queries.sql":
            continue
        for name, texts in read_queries(path).items():
            out.append(f"static const struct sql_query {name} __attribute__((unused)) = {{")
            out.append(f'\t.name = "{name}",')
            for engine in ENGINES:
                out.append(f"\t.{engine} =\n{literal(texts[engine])},")
            out += ["};", ""]
    rows = []
    for (number, what), texts in read_migrations([p for p in paths if p.name != "queries.sql"]).items():
        row = [f'\t{{ .number = {number}, .service = "{service}", .name = "{what}",']
        row += [f"\t  .{engine} =\n{literal(texts[engine])}," for engine in ENGINES]
        rows.append("\n".join(row) + " },")
    out.append(f"static const struct sql_migration {service}_migration_rows[] __attribute__((unused)) = {{")
    out += rows or ["\t{ .number = 0 },"]
    out += ["};", f"enum {{ {service.upper()}_MIGRATION_COUNT = {len(rows)} }};", ""]
    pathlib.Path(output).write_text("\n".join(out))


main()
