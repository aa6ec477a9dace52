"""Hold container starts against answers that are known beforehand; exits with 1 if one is missed.

    .venv/bin/python scripts/container_known_answers.py [PAIRS]

As root, on a quiet machine with runc, containerd and hyperfine (all of Debian); two minutes.

1. `runc run` from call to exit is the same thing under cnbench and under `hyperfine -N`: run in
   turns, the ratio's 95 % interval lies within 0.95 and 1.05.
2. What containerd adds to runc, as the paired difference of a run, is the time in which no runc
   runs between the call of ctr and the container's first instruction, by the kernel's own account
   of processes' beginnings and ends (the process connector): within its interval, or 10 %.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from statistics import median

from process_events import Lives, recorded

from cnbench.containers import bundle
from cnbench.containers.bundle import Wanted
from cnbench.containers.containerd import open_containerd
from cnbench.containers.enclave import Enclave, open_enclave
from cnbench.containers.runtimes import Ctr, Files, Oci, Runtime, Started, open_files
from cnbench.lab.host import open_lab
from cnbench.stats.intervals import Interval
from cnbench.stats.paired import paired_difference, paired_ratio

PAIRS = 200
TRACED = 40
_SAME = (0.95, 1.05)
_SHARE = 0.1
missed: list[str] = []


def hold(what: str, expected: str, found: str, holds: bool) -> None:
    """Say whether what was ``found`` is what was ``expected``."""
    print(f"  {'ok    ' if holds else 'MISSED'} {what}: {expected}, found {found}", flush=True)
    if not holds:
        missed.append(what)


def in_turns(one: Callable[[], float], other: Callable[[], float], pairs: int) -> Interval:
    """The ratio of ``one`` to ``other``, each first every second time."""
    taken: dict[Callable[[], float], list[float]] = {one: [], other: []}
    for pair in range(pairs):
        for each in (one, other) if pair % 2 else (other, one):
            taken[each].append(each())
    return paired_ratio(taken[other], taken[one])


def beside_hyperfine(enclave: Enclave, files: Files, pairs: int) -> None:
    """The same command, timed by both."""
    asked = bundle.specification(Wanted(), files.root, f"{enclave.group}/same", files.extra)
    asked["process"]["args"] = ["/bin/busybox", "true"]
    folder = enclave.folder / "same"
    bundle.write(folder, asked)
    argv = ["runc", "--root", "/run/same", "run", "--bundle", str(folder), "same"]
    report = enclave.folder / "hyperfine.json"

    def ours() -> float:
        return enclave.run(*argv).took / 1e9

    def theirs() -> float:
        enclave.run("hyperfine", "-N", "--runs", "1", "--export-json", str(report), " ".join(argv))
        return float(json.loads(report.read_text())["results"][0]["mean"])

    ratio = in_turns(ours, theirs, pairs)
    within = _SAME[0] <= ratio.low and ratio.high <= _SAME[1]
    told = f"{ratio.estimate:.3f} [{ratio.low:.3f} to {ratio.high:.3f}]"
    hold(f"runc run, ours over hyperfine's, {pairs} pairs", f"within {_SAME}", told, within)


def what_containerd_adds(enclave: Enclave, files: Files) -> None:
    """The paired difference beside the time in which no runc runs."""
    with open_containerd(enclave) as daemon:
        runc, ctr = Oci(files, Wanted(), enclave, "runc"), Ctr(files, Wanted(), daemon)
        alone, through, own = [], [], []
        for _ in range(TRACED):
            with recorded():  # which both are slowed down by
                alone.append(_start(enclave, runc)[0])
            with recorded() as lives:
                took, started = _start(enclave, ctr)
            through.append(took)
            own.append(_without_runc(lives, started, started.began + took))
    added = paired_difference(alone, through)
    traced = median(own)
    inside = median(took - part for took, part in zip(through, own, strict=True))
    print(
        f"         runc below containerd, less runc alone: {(inside - median(alone)) / 1e6:.1f} ms"
    )
    near = abs(traced - added.estimate) <= _SHARE * added.estimate
    hold(
        "what containerd adds to runc, ms", f"{traced / 1e6:.1f} in which no runc runs",
        f"{added.estimate / 1e6:.1f} [{added.low / 1e6:.1f} to {added.high / 1e6:.1f}]",
        near or added.low <= traced <= added.high,
    )  # fmt: skip


def _start(enclave: Enclave, runtime: Runtime) -> tuple[int, Started]:
    started = runtime.start()
    first = enclave.first_instruction(started.pid)
    runtime.stop(started)
    return first - started.began, started


def _without_runc(lives: Lives, started: Started, first: int) -> int:
    """The ns between call and first instruction in which no runc was at work.

    The last of them begins the container, which becomes its program some time after that runc has
    ended: all that time is runc's.
    """
    inside = sorted(
        (began, ended) for began, ended in lives.of("runc") if started.began < began < first
    )
    covered, reached = 0, started.began
    for began, ended in [*inside[:-1], (inside[-1][0], first)]:
        covered += max(0, ended - max(began, reached))
        reached = max(reached, ended)
    return first - started.began - covered


def main() -> None:
    """Hold all of them."""
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else PAIRS
    with (
        open_lab("host", "wall") as lab,
        open_enclave(lab) as enclave,
        open_files(enclave) as files,
    ):
        beside_hyperfine(enclave, files, pairs)
        what_containerd_adds(enclave, files)
    sys.exit(bool(missed))


if __name__ == "__main__":
    main()
