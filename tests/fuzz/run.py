"""Runs every fuzz target for a while, two at a time. Prints TAP, a row per target; a crash, a leak, a hang or too much
memory fails it and prints the input in base64.

usage: run.py [TARGET...]          json money jwt …: without the "fuzz_" before it

AGENTPAY_FUZZ_SECONDS  how long each target runs (60)
AGENTPAY_FUZZ_BUILD    a build folder of -Dfuzz=true; without it build/fuzz is configured and built with clang

tests/fuzz/corpus/TARGET holds inputs to start from, TARGET.dict words to insert; what a run finds stays out of the
tree. To see a failure again: base64 -d >input, then build/fuzz/tests/fuzz_TARGET input.
"""
import base64
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SECONDS = int(os.environ.get("AGENTPAY_FUZZ_SECONDS", "60"))
AT_ONCE = 2
INPUT_MAX = 4096
# A target that has not started as many runs in its time says that something holds it up.
RUNS_MIN = 100
SANITIZERS = {"ASAN_OPTIONS": "detect_leaks=1:allocator_may_return_null=1",
              "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1"}


def built():
    """The folder of the programs, or None after saying what went wrong."""
    folder = os.environ.get("AGENTPAY_FUZZ_BUILD")
    if folder:
        return pathlib.Path(folder) / "tests"
    folder = ROOT / "build" / "fuzz"
    compiler = "ccache clang" if shutil.which("ccache") else "clang"
    setup = ["meson", "setup", str(folder), str(ROOT), "-Dfuzz=true", "-Db_sanitize=address,undefined",
             "-Db_lundef=false"]
    if (folder / "build.ninja").exists():
        setup.append("--reconfigure")
    targets = ["tests/" + path.stem for path in sorted(HERE.glob("fuzz_*.c"))]
    for command in (setup, ["ninja", "-C", str(folder), *targets]):
        done = subprocess.run(command, env={**os.environ, "CC": compiler}, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False)
        if done.returncode != 0:
            print("# " + "\n# ".join(done.stdout.splitlines()[-40:]))
            return None
    return folder / "tests"


def number(name, output):
    found = re.findall(name, output)
    return int(found[-1]) if found else 0


def run(program, target):
    """(good?, what to say, the lines that explain a failure)."""
    with tempfile.TemporaryDirectory(prefix="agentpay-fuzz-") as work:
        corpus = pathlib.Path(work, "corpus")
        seeds = HERE / "corpus" / target
        if seeds.is_dir():
            shutil.copytree(seeds, corpus)
        corpus.mkdir(exist_ok=True)
        command = [str(program), f"-max_total_time={SECONDS}", f"-max_len={INPUT_MAX}", "-timeout=10",
                   "-rss_limit_mb=2048", "-print_final_stats=1", f"-artifact_prefix={work}/found-"]
        words = HERE / "corpus" / f"{target}.dict"
        if words.exists():
            command.append(f"-dict={words}")
        try:
            done = subprocess.run([*command, str(corpus)], env={**os.environ, **SANITIZERS}, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, check=False, timeout=SECONDS + 120)
        except subprocess.TimeoutExpired as expired:
            return False, "did not end", (expired.stdout or b"").decode(errors="replace").splitlines()[-20:]
        output = done.stdout.decode(errors="replace")
        runs = number(r"stat::number_of_executed_units: (\d+)", output) or number(r"#(\d+)\t", output)
        edges = number(r"cov: (\d+)", output)
        said = f"{runs} runs, {edges} edges"
        faults = [f"found with {base64.b64encode(path.read_bytes()).decode()}"
                  for path in sorted(pathlib.Path(work).glob("found-*"))]
        if done.returncode == 0 and not faults and runs >= RUNS_MIN:
            return True, said, []
        return False, f"{said}, status {done.returncode}", faults + output.splitlines()[-60:]


def main():
    wanted = sys.argv[1:]
    sources = sorted(HERE.glob("fuzz_*.c"))
    targets = [path.stem.removeprefix("fuzz_") for path in sources]
    unknown = [name for name in wanted if name not in targets]
    if unknown:
        print(f"there is no target {unknown[0]}; there are: {' '.join(targets)}", file=sys.stderr)
        return 2
    targets = wanted or targets
    print(f"1..{len(targets)}", flush=True)
    folder = built()
    if not folder:
        for place, target in enumerate(targets, 1):
            print(f"not ok {place} - {target}: not built")
        return 1
    failed = False
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        results = pool.map(lambda target: run(folder / f"fuzz_{target}", target), targets)
        for place, (target, (good, said, why)) in enumerate(zip(targets, results), 1):
            failed |= not good
            print(f"{'ok' if good else 'not ok'} {place} - {target} # {said}", flush=True)
            for line in why:
                print(f"# {line}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
