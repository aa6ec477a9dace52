"""The head of the page: which runs, when, where, and how far they came."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from cnbench.analysis.chapters import letter
from cnbench.analysis.number_format import duration_text
from cnbench.core.fingerprint import Fingerprint
from cnbench.core.run import CaseResult, Run
from cnbench.store.columns import columns_of


@dataclass(frozen=True)
class Head:
    """One run in a line: when, where, and how far it came."""

    letter: str
    id: str
    facts: tuple[str, ...]
    unfinished: bool


@dataclass(frozen=True)
class Totals:
    """The run or runs in figures."""

    cases: int
    ok: int
    unsupported: int
    failed: int
    samples: int
    disturbed: int
    replaced: int


def heads_of(runs: Sequence[Run]) -> list[Head]:
    """The first lines of the page."""
    return [
        Head(letter(index) if len(runs) > 1 else "", run.id, tuple(_facts(run)), not run.finished)
        for index, run in enumerate(runs)
    ]


def totals_of(runs: Iterable[Run]) -> Totals:
    """How many cases and samples there are, of each kind."""
    cases = [result for run in runs for result in run.cases]
    samples = [columns_of(result.samples) for result in cases if result.status == "ok"]
    return Totals(
        cases=len(cases),
        ok=_with_status(cases, "ok"),
        unsupported=_with_status(cases, "unsupported"),
        failed=_with_status(cases, "failed"),
        samples=sum(int(s.used.sum()) for s in samples),
        disturbed=sum(int((s.disturbed & s.used).sum()) for s in samples),
        replaced=sum(int((~s.used).sum()) for s in samples),
    )


def _facts(run: Run) -> Iterable[str]:
    yield _when(run)
    environments = list(run.fingerprints.values())
    for kernel in dict.fromkeys(e.kernel for e in environments):
        yield f"Linux {kernel}"
    yield from dict.fromkeys(_machine(e) for e in environments)
    labs = dict.fromkeys(result.case.lab for result in run.cases) or {run.request.lab: None}
    clocks = dict.fromkeys(str(r.case.clock) for r in run.cases) or {run.request.clock: None}
    yield f"{' and '.join(labs)} lab, {' and '.join(clocks)} clock"
    yield f"{'full' if run.request.full else 'quick'} values"
    yield f"cnbench {run.cnbench}"


def _when(run: Run) -> str:
    try:
        began = datetime.fromisoformat(run.started)
        text = f"{began.day} {began:%B %Y, %H:%M} {began.tzname() or ''}".strip()
        if run.finished:
            took = (datetime.fromisoformat(run.finished) - began).total_seconds()
            text += f", took {duration_text(took)}"
    except (ValueError, TypeError):
        return run.started
    return text


def _machine(environment: Fingerprint) -> str:
    machine = environment.machine
    parts = [machine.get("cpu", "unknown CPU")]
    if "cpus" in machine:
        parts.append(f"{machine['cpus']} CPU{'' if machine['cpus'] == '1' else 's'}")
    if "memory" in machine:
        parts.append(machine["memory"])
    if machine.get("virtualised") == "yes":
        parts.append("virtualised")
    return ", ".join(parts)


def _with_status(cases: Iterable[CaseResult], status: str) -> int:
    return sum(result.status == status for result in cases)
