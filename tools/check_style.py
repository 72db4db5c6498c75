"""Checks the sources for slips that a compiler does not see: check_style.py ROOT. Exit status 1 when there is one."""
import pathlib
import re
import subprocess
import sys

LINES_MAX = 600
ALLOCATORS = re.compile(r"\b(malloc|calloc|realloc|reallocarray|strdup|strndup|asprintf|vasprintf|alloca)\s*\(")
UNBOUNDED = re.compile(r"\b(strcpy|strncpy|strcat|strncat|sprintf|vsprintf|gets|strtok|atoi|atol|atof|system|popen|tmpnam)\s*\(")
FLOATS = re.compile(r"\b(float|double)\b")
UNFINISHED = re.compile(r"\b(TO" + r"DO|FIX" + r"ME)\b")
MACHINE_PATHS = re.compile("/wo" + "rk/|/fa" + "rm/|/ho" + "me/[a-z]")
TEXT_SUFFIXES = {".c", ".h", ".def", ".py", ".md", ".sql", ".yaml", ".json", ".build", ".sh", ".txt", ""}


def code_only(text):
    """The text with comments and literals blanked, line breaks kept."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match.group(0))
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank, text, flags=re.S)


def search(path, text, pattern, reason):
    return [f"{path}:{text.count(chr(10), 0, match.start()) + 1}: {match.group(0).strip('( ')}: {reason}"
            for match in pattern.finditer(text)]


def check_source(root, path):
    text = path.read_text()
    code = code_only(text)
    name = path.relative_to(root).as_posix()
    found = []
    if name.startswith("src/"):
        found += search(path, code, UNBOUNDED, "use a writer, snprintf or slice_to_i64")
        if name != "src/base/arena.c":
            found += search(path, code, ALLOCATORS, "only base/arena.c allocates; use an arena or memory_new")
        if name.startswith(("src/money/", "src/ledger/", "src/router/")):
            found += search(path, code, FLOATS, "no binary fraction near money")
        if text.count("\n") > LINES_MAX:
            found.append(f"{path}: over {LINES_MAX} lines; split it by noun")
    return found


def unused_rows(root, table, row, use):
    """Rows of a table that no source uses: a promise that nobody keeps."""
    path = root / table
    if not path.is_file():
        return []
    code = "".join(code_only(file.read_text()) for file in sorted((root / "src").rglob("*.c")))
    return [f"{path}: {name} is declared, but not used" for name in re.findall(row, path.read_text(), re.M)
            if not re.search(rf"\b{use}{name}\b", code)]


def tracked(root):
    answer = subprocess.run(["git", "-C", str(root), "ls-files", "-z"], capture_output=True, text=True)
    if answer.returncode != 0:
        return sorted(path for path in root.rglob("*") if path.is_file())
    return [root / name for name in answer.stdout.split("\0") if name]


def main():
    root = pathlib.Path(sys.argv[1])
    found = []
    for path in tracked(root):
        if not path.is_file() or path.suffix not in TEXT_SUFFIXES:
            continue
        text = path.read_text(errors="replace")
        found += search(path, text, MACHINE_PATHS, "a path of one machine")
        found += search(path, text, UNFINISHED, "finish it")
        if path.suffix in {".c", ".h"}:
            found += check_source(root, path)
    found += unused_rows(root, "src/platform/metrics.def", r"^METRIC\((\w+)", "METRIC_")
    found += unused_rows(root, "src/base/errors.def", r"^ERROR\((\w+)", "ERR_")
    found += unused_rows(root, "src/identity/permissions.def", r"^PERMISSION\((\w+)", "PERMISSION_")
    print("\n".join(found) or "no slip found")
    sys.exit(1 if found else 0)


main()
