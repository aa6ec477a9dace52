"""Shows that the wheel, and then the sdist, work alone: in an empty environment, in another folder.

Each is built as pip has it built and installed with nothing but what it depends on itself, into a
virtual environment that has nothing else. Then `cnbench run --quick cpu-quota` is called in a
folder far from the checkout, and has to measure. Needs a package index; as root, since it measures.

    .venv/bin/python scripts/wheel_alone.py [--kind wheel|sdist]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MEASURE = ("run", "--quick", "cpu-quota", "-p", "quota=20%", "-p", "period=10ms", "--lab", "host",
           "--budget", "10s", "--json")  # fmt: skip


def call(*argv: str | Path, cwd: Path = ROOT) -> str:
    """Run a command, without this interpreter's environment; gives what it says on stdout.

    Raises:
        SystemExit: it failed.
    """
    outside = {name: value for name, value in os.environ.items() if name not in _OURS}
    done = subprocess.run(
        list(map(str, argv)), cwd=cwd, env=outside, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, argv))} ended with {done.returncode}:\n{done.stderr}")
    return done.stdout


_OURS = ("PYTHONPATH", "VIRTUAL_ENV", "PYTHONHOME", "CNBENCH_RESULTS")


def show(kind: str, folder: Path) -> None:
    """Build ``kind``, install it alone, and measure with it.

    Raises:
        SystemExit: it does not work.
    """
    began = time.monotonic()
    call(sys.executable, "-m", "build", f"--{kind}", "--outdir", folder, ROOT)
    (built,) = folder.glob("cnbench-*")
    call(sys.executable, "-m", "venv", folder / "environment")
    python = folder / "environment/bin/python"
    call(python, "-m", "pip", "install", "--quiet", built)
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    where = call(python, "-c", "import cnbench; print(cnbench.__file__)", cwd=elsewhere).strip()
    if not Path(where).is_relative_to(folder / "environment"):
        raise SystemExit(f"the {kind}'s environment imports {where}")
    run = json.loads(call(folder / "environment/bin/cnbench", *MEASURE, cwd=elsewhere))
    measured = [row for row in run["rows"] if row["status"] == "ok" and row["proof"]["holds"]]
    if not measured or not list(elsewhere.glob("results/runs/*.jsonl")):
        raise SystemExit(f"the {kind} measured nothing: {run['rows']}")
    took = time.monotonic() - began
    print(f"{built.name}: {len(measured)} rows with proof, in {took:.0f} s", flush=True)


def main() -> None:
    """Show both, or the one that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kind", choices=("wheel", "sdist"), action="append")
    for kind in parser.parse_args().kind or ("wheel", "sdist"):
        with tempfile.TemporaryDirectory() as folder:
            show(kind, Path(folder))


if __name__ == "__main__":
    main()
