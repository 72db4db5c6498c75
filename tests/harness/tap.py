"""Cases of a test program that prints TAP: one row a case, and below it what a person needs to see of a failure."""
import os
import shutil
import subprocess
import sys
import tempfile
import time
import traceback

from harness import running


class Failed(AssertionError):
    """What was promised does not hold; the text says what came instead."""


def expect(good, text):
    if not good:
        raise Failed(text)


class Cases:
    """A list of functions of a folder of their own: @cases.add, then cases.run()."""

    def __init__(self, suite):
        self.suite = suite
        self.rows = []

    def add(self, function):
        self.rows.append(function)
        return function

    def run(self, names=None):
        names = sys.argv[1:] if names is None else names
        chosen = [row for row in self.rows if not names or row.__name__ in names]
        failures = sum(not self._one(number, row) for number, row in enumerate(chosen, 1))
        print(f"1..{len(chosen)}")
        sys.exit(bool(failures) or not chosen)

    def _one(self, number, row):
        folder = tempfile.mkdtemp(prefix=f"agentpay-{self.suite}-")
        begin, name, why, skip = time.monotonic(), row.__name__.replace("_", " "), "", ""
        try:
            row(folder)
        except running.Missing as error:
            why, skip = (str(error), "") if os.environ.get("CI") else ("", str(error))
        except Failed as error:
            why = str(error) or "failed"
        except Exception:  # whatever a case breaks with is its result
            why = traceback.format_exc()
        finally:
            if not os.environ.get("AGENTPAY_KEEP"):
                shutil.rmtree(folder, ignore_errors=True)
        print(f"{'not ok' if why else 'ok'} {number} - {name}" + (f" # SKIP {skip}" if skip else f" ({time.monotonic() - begin:.1f} s)"))
        for line in why.splitlines():
            print("# " + line)
        sys.stdout.flush()
        return not why


class Wrong:
    """Runs the program where something is wrong and checks what its user sees."""

    @staticmethod
    def use(folder, status, says, *arguments, seconds=30, **more):
        """It ends with the status and says exactly one sentence, with these words in it; nothing else but logs."""
        try:
            answer = running.program(folder, *arguments, seconds=seconds, **more)
        except subprocess.TimeoutExpired as error:
            said = b"".join(text for text in (error.stdout, error.stderr) if text).decode(errors="replace")
            raise Failed(f"$ agentpay {' '.join(arguments)}\nit should refuse, but still runs after {seconds} s:\n{said}") from None
        said = [line for line in answer.stderr.splitlines() if not line.startswith("{")]
        told = f"$ agentpay {' '.join(arguments)}\nstatus {answer.returncode}\n{answer.stdout}{answer.stderr}"
        expect(answer.returncode == status, f"the exit status should be {status}:\n{told}")
        expect(len(said) == 1 and said[0].startswith("agentpay: "), f"one sentence is wanted on standard error:\n{told}")
        for words in [says] if isinstance(says, str) else says:
            expect(words in said[0], f"it should say {words!r}:\n{told}")
        expect("password" not in answer.stdout, f"a start that failed shows credentials:\n{told}")
        return said[0]
