"""Reading and writing runs with many samples: the store, tables, the page, frames."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from speed.made_run import as_one_object, as_recorded, made_run
from speed.row import FEWEST_BOUND, Figure, Row
from speed.sides import CPU_TIME, MEMORY, Side

_WRITE_AGAIN = """
import sys
from pathlib import Path
from cnbench.store import run_file
run = run_file.read(Path(sys.argv[1]))
out = Path(sys.argv[2])
run_file.write(run, out)
samples = sum(len(case.samples) + len(case.twin) for case in run.cases)
print(out.stat().st_size / samples)
"""

_FRAME = "import sys, cnbench; cnbench.load(sys.argv[1]).frame()"

# A case more, of 12 samples, in a run that has `cases` of them.
_SAVE = """
import sys, time, dataclasses, statistics
from pathlib import Path
try:
    from cnbench.measuring.events import CaseEnded
except ImportError:
    from cnbench.measure.events import CaseEnded
from cnbench.core.run import Sample
from cnbench.store import run_file
from cnbench.store.recorder import Recorder
run = run_file.read(Path(sys.argv[1]))
first, run.cases = run.cases[0], []
samples = tuple(
    Sample(n, 0, dict(one.values), one.started, one.duration, dict(one.witness))
    for n, one in enumerate(list(first.samples)[:12])
)
recorder = Recorder(run, Path(sys.argv[2]))
getattr(recorder, "begin", recorder.save)()
took = []
for number in range(int(sys.argv[3])):
    params = first.case.params | {next(iter(first.case.params)): number}
    case = dataclasses.replace(first.case, params=params)
    result = dataclasses.replace(first, case=case, samples=samples, twin=())
    began = time.perf_counter()
    recorder.listen(CaseEnded(result))
    took.append(time.perf_counter() - began)
    if getattr(recorder, "problem", None):
        raise recorder.problem
print(statistics.median(took[-20:]))
"""


def _prepare(count: int, side: Side, folder: Path) -> None:
    file = _file(count, side, folder)
    if not file.exists():
        (as_one_object if side.earlier else as_recorded)(*made_run(count), file)


def _prepare_old(count: int, side: Side, folder: Path) -> None:
    if not _old(count, folder).exists():
        as_one_object(*made_run(count), _old(count, folder))


def _old(count: int, folder: Path) -> Path:
    return folder / f"{count}.json"


def _new(count: int, folder: Path) -> Path:
    return folder / f"{count}.jsonl"


def _file(count: int, side: Side, folder: Path) -> Path:
    """The same run as each build keeps it."""
    return (_old if side.earlier else _new)(count, folder)


def _bytes_a_sample(count: int, side: Side, folder: Path) -> dict[str, float]:
    (size,) = side.told_by(_WRITE_AGAIN, _old(count, folder), folder / "written-again")
    return {"bytes": size}


def _show(count: int, side: Side, folder: Path) -> dict[str, float]:
    return side.used_by(side.cnbench, "show", _file(count, side, folder))


def _report(count: int, side: Side, folder: Path) -> dict[str, float]:
    page = folder / "page.html"
    used = side.used_by(side.cnbench, "report", _file(count, side, folder), "-o", page)
    return used | {"page": page.stat().st_size}


def _frame(count: int, side: Side, folder: Path) -> dict[str, float]:
    return side.used_by(side.python, "-c", _FRAME, _file(count, side, folder))


def _saving(cases: int, count: int, side: Side, folder: Path) -> dict[str, float]:
    (seconds,) = side.told_by(_SAVE, _old(count, folder), folder / "saved", cases)
    return {"time": seconds}


def _used(time: float, memory: float) -> tuple[Figure, Figure]:
    return Figure(CPU_TIME, "s", time), Figure(MEMORY, "B", memory)


def rows(*, reduced: bool) -> list[Row]:
    """The rows of this file."""
    large, middle = (9_000, 6_000) if reduced else (1_100_000, 200_000)
    number, small = f"{large:,} samples", 3_000
    of_large, of_small = partial(_prepare, large), partial(_prepare, small)
    return [
        Row("file", "a sample in a run file", (Figure("bytes", "B", 1 / 6),),
            partial(_bytes_a_sample, middle), partial(_prepare_old, middle), exact=True),
        Row("show", f"`show`, {number}", _used(1 / 8, 1 / 10), partial(_show, large), of_large),
        Row("show-small", f"`show`, {small:,} samples", _used(1.05, 1.05), partial(_show, small),
            of_small),
        Row("report", f"`report`, {number}", (*_used(1 / 3, 1 / 8), Figure("page", "B", 5 / 8.7)),
            partial(_report, large), of_large),
        Row("frame", f"`load().frame()`, {number}", _used(1 / 10, 1 / 6), partial(_frame, large),
            of_large),
        *(
            Row(f"save-{cases}", f"saving a case after {cases:,}", (Figure("time", "s", None),),
                partial(_saving, cases, small), partial(_prepare_old, small), rounds=rounds)
            # Of an earlier build, that of 1,200 takes a minute.
            for cases, rounds in ((50, FEWEST_BOUND), (1_200, 1))
        ),
    ]  # fmt: skip
