"""Hold namespaces against answers that are known beforehand; exits with 1 if one is missed.

    .venv/bin/python scripts/namespaces_known_answers.py

As root, on a machine where nobody else makes network namespaces; a minute. How many of them there
are is read from the kernel's own slab (/sys/kernel/slab/net_namespace), with nothing of cnbench:
first while namespaces made here come and go, then around a run of cnbench, which has to have waited
for all that it made and left none.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from cnbench.store import run_file

SLAB = Path("/sys/kernel/slab/net_namespace")
CNBENCH = Path(sys.executable).with_name("cnbench")
COUNT = 40
CLONE_NEWNET = 0x40000000
PATIENCE = 60.0
missed: list[str] = []


def hold(what: str, expected: object, found: object) -> None:
    """Say whether ``found`` is ``expected``."""
    print(f"  {'ok    ' if expected == found else 'MISSED'} {what}: {expected}, found {found}")
    if expected != found:
        missed.append(what)


def alive() -> int:
    """Network namespaces that the kernel has; those it has freed are given back first."""
    (SLAB / "shrink").write_text("1")
    return int((SLAB / "objects").read_text().split()[0])


def alive_once_settled(expected: int) -> int:
    """As ``alive``, once it is ``expected`` or time is up: the kernel frees in batches, later."""
    give_up = time.monotonic() + PATIENCE
    while (found := alive()) != expected and time.monotonic() < give_up:
        time.sleep(0.05)
    return found


def namespaces_of_our_own() -> None:
    """The slab has one more for each that is made, and one fewer for each that is let go."""
    before = alive()
    libc = ctypes.CDLL(None, use_errno=True)
    children = []
    ready, tell = os.pipe()
    for _ in range(COUNT):
        child = os.fork()
        if child == 0:
            libc.unshare(CLONE_NEWNET)
            os.write(tell, b".")
            time.sleep(PATIENCE)
            os._exit(0)
        children.append(child)
    heard = 0
    while heard < COUNT:
        heard += len(os.read(ready, COUNT))
    hold("objects in the slab with those that were made", before + COUNT, alive())
    for child in children:
        os.kill(child, 9)
        os.waitpid(child, 0)
    hold("objects once they are gone", before, alive_once_settled(before))


def namespaces_of_a_run() -> None:
    """A run has seen as many go as it made, and the slab has what it had before."""
    if not CNBENCH.exists():
        print("  absent: there is no cnbench here")
        return
    before = alive()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "run.json")
        subprocess.run(
            [str(CNBENCH), "run", "namespaces", "-p", "kind=net", "-p", "call=clone3",
             "--lab", "host", "--budget", "10s", "-o", str(path)],
            check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        (case,) = run_file.read(path).cases
    (seen,) = (check for check in case.proof.checks if "seen to go" in check.claim)
    hold("network namespaces seen to go, of those made", seen.expected, seen.observed)
    hold("objects once the run has ended", before, alive_once_settled(before))


if __name__ == "__main__":
    if os.geteuid() != 0:
        raise SystemExit("run this as root")
    if not (SLAB / "shrink").exists():
        raise SystemExit("this kernel shows no slabs of its own (CONFIG_SLUB_DEBUG)")
    for answer in (namespaces_of_our_own, namespaces_of_a_run):
        print(f"{answer.__name__}: {(answer.__doc__ or '').splitlines()[0]}")
        answer()
    sys.exit(1 if missed else 0)
