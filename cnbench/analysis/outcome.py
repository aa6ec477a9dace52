"""What a comparison came to: its lines by effect, its verdict, and what else has changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cnbench.analysis.answers import Finding, claims_of
from cnbench.analysis.answers import Verdict as OnStatement
from cnbench.analysis.chapters import chapters_of
from cnbench.analysis.compared import Compared, overall
from cnbench.analysis.compared_text import Units
from cnbench.analysis.matching import environment_differences
from cnbench.core.fingerprint import Difference
from cnbench.core.run import Run
from cnbench.stats.verdict import Verdict


@dataclass(frozen=True)
class ClaimChange:
    """A statement on which the two runs have different verdicts."""

    before: Finding
    after: Finding

    @property
    def statement(self) -> str:
        """What everybody says."""
        return self.after.answer.statement

    def as_json(self) -> dict[str, Any]:
        """The change for ``--json``."""
        return {
            "statement": self.statement,
            "before": self.before.verdict.value,
            "after": self.after.verdict.value,
            "where": self.after.where,
            "evidence": self.after.evidence,
        }


@dataclass(frozen=True)
class Outcome:
    """All that there is to say of a comparison.

    Attributes:
        runs: A and B; one run where variants were measured live, in the same blocks.
        compared: a line a case and metric, in the order to read them.
        claims: the statements whose verdicts changed.
        differences: in what the environments differ.
    """

    runs: tuple[Run, ...]
    compared: tuple[Compared, ...]
    claims: tuple[ClaimChange, ...] = ()
    differences: tuple[Difference, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """The verdict on all lines together."""
        return overall(self.compared)

    @property
    def units(self) -> Units:
        """Experiment to parameter to its unit."""
        return {name: e.parameters for run in self.runs for name, e in run.experiments.items()}


def outcome_of_runs(a: Run, b: Run, compared: Sequence[Compared]) -> Outcome:
    """The outcome of comparing run B with run A: what is worse comes first, by its effect."""
    by_effect = sorted(compared, key=_place)
    experiments = {comparison.b.case.experiment for comparison in compared}
    return Outcome(
        (a, b),
        tuple(by_effect),
        tuple(_changed(_findings(a, experiments), _findings(b, experiments))),
        tuple(environment_differences(a, b)),
    )


_ORDER = (Verdict.WORSE, Verdict.INCONCLUSIVE, Verdict.BETTER, Verdict.EQUIVALENT)


def _place(comparison: Compared) -> tuple[int, float]:
    """Where a line stands: by its verdict, then by its effect, the largest first."""
    judged = comparison.judgement.verdict
    effect = comparison.harm if judged is not Verdict.BETTER else -comparison.harm
    return _ORDER.index(judged), -effect


def _findings(run: Run, experiments: set[str]) -> list[Finding]:
    """What a run says to the statements about ``experiments`` that it can test."""
    return [
        finding
        for _, findings in claims_of(chapters_of([run]))
        for finding in findings
        if finding.answer.experiment in experiments
        and finding.verdict is not OnStatement.NOT_TESTABLE
    ]


def _changed(before: Sequence[Finding], after: Sequence[Finding]) -> list[ClaimChange]:
    """The statements that both test in the same place, or each in one place, and judge apart."""
    changes = []
    for finding in after:
        alike = [other for other in before if other.answer is finding.answer]
        here = [other for other in alike if other.where == finding.where] or alike
        if len(here) == 1 and here[0].verdict is not finding.verdict:
            changes.append(ClaimChange(here[0], finding))
    return changes
