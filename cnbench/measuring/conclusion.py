"""What a group came to: its samples with their proofs, as results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from cnbench.core.proof import Proof
from cnbench.core.run import CaseResult
from cnbench.measuring.failures import failure, what_is_not_proven
from cnbench.measuring.station import Station

INTERRUPTED = "interrupted"


def conclude(stations: Sequence[Station], number: int, stopped: str) -> list[CaseResult]:
    """The results of group ``number``, whose sampling ended as ``stopped`` says; takes proofs."""
    for station in stations:
        # An interrupt leaves open what a block's end accounts for, and proofs count on of others.
        if station.samples and station.is_denied(last := station.samples[-1].block):
            station.discard(last)
    return [_result(station, stations, number, stopped) for station in stations if not station.twin]


def _result(station: Station, stations: Sequence[Station], number: int, stopped: str) -> CaseResult:
    twin = next((s for s in stations if s.twin and s.case == station.case), None)
    if all(sample.replaced for sample in station.samples) and station.error is None:
        reason = "it was interrupted before a sample"
        return CaseResult(
            station.case, number, "failed", reason, stopped=stopped, setup=station.setup
        )
    proof = Proof()
    if station.error is None:
        with station.failing():
            proof = station.subject.proof()
    result = CaseResult(
        case=station.case,
        group=number,
        status="ok",
        samples=tuple(station.samples),
        # What is paired with nothing says nothing.
        twin=tuple(twin.samples) if twin and not twin.error and station.samples else (),
        proof=proof,
        stopped=stopped,
        setup=station.setup,
    )
    if station.error is not None:
        said = failure(station.case, number, station.error)
        return replace(result, status=said.status, reason=said.reason, remedy=said.remedy,
                       stderr=said.stderr, exit_status=said.exit_status)  # fmt: skip
    if not proof.holds:
        # Counters that moved with a sample that was cut off fit no number of whole samples.
        when = "it was interrupted in a sample: " if stopped == INTERRUPTED else ""
        return replace(
            result, status="failed", reason=when + what_is_not_proven(proof, result.samples)
        )
    return result
