"""Shows that asv raises no alarm over nothing: ``asv continuous`` of a commit against its equal.

Clones the repository, adds a commit that changes nothing, and has asv compare the two again and
again, each time measured anew (some three minutes). Without a guest (`make guest`) what it shows is
the host's own noise.

    .venv/bin/python scripts/asv_false_alarms.py [--times 10] [--bench ServiceConnect]
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ASV = Path(sys.executable).with_name("asv")
# How asv ends what it says when it has compared; without it, it has not.
_COMPARED = re.compile(
    r"^(?:BENCHMARKS NOT SIGNIFICANTLY CHANGED|.*PERFORMANCE (?:IN|DE)CREASED)", re.M
)


def git(folder: Path, *arguments: str) -> None:
    """Run git in ``folder``."""
    subprocess.run(["git", "-C", folder, *arguments], check=True, stdout=subprocess.DEVNULL)


def with_a_commit_that_changes_nothing(folder: Path) -> Path:
    """A clone of the repository whose HEAD has the files of the commit before it."""
    clone = folder / "cnbench"
    git(ROOT, "clone", "--quiet", str(ROOT), str(clone))
    identity = ("-c", "user.name=nobody", "-c", "user.email=nobody@localhost")
    git(clone, *identity, "commit", "--quiet", "--allow-empty", "-m", "Change nothing")
    return clone


def alarm(clone: Path, factor: float, bench: str) -> tuple[int, str]:
    """The exit code, 1 if asv says that something has become worse, and its words."""
    argv = [str(ASV), "continuous", "-f", str(factor), "--bench", bench, "HEAD~1", "HEAD"]
    done = subprocess.run(argv, check=False, cwd=clone, capture_output=True, text=True)
    said = done.stdout + done.stderr
    if done.returncode not in (0, 1) or not _COMPARED.search(said):
        raise SystemExit(f"asv ended with {done.returncode}:\n{said}")
    return done.returncode, said


def main() -> None:
    """Compare, and print how often asv took nothing for something."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--factor", type=float, default=1.005)
    parser.add_argument("--bench", default="ServiceConnect")
    options = parser.parse_args()
    alarms = 0
    with tempfile.TemporaryDirectory() as folder:
        clone = with_a_commit_that_changes_nothing(Path(folder))
        for number in range(1, options.times + 1):
            began = time.monotonic()
            code, said = alarm(clone, options.factor, options.bench)
            alarms += code
            took = time.monotonic() - began
            print(f"{number}: {'an alarm' if code else 'no alarm'} in {took:.0f} s", flush=True)
            if code:
                print(said)
    print(f"{alarms} alarms in {options.times} comparisons of a commit with its equal")
    raise SystemExit(bool(alarms))


if __name__ == "__main__":
    main()
