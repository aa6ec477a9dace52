"""An answer: a question, the cases that settle it, what everybody says, and the test of that.

    Answer(
        experiment="service-routing",
        question="A service's first packet at 1,000 services",
        cases=Cases({"iptables": {"mode": "iptables"}, "IPVS": {"mode": "ipvs"}}, services=1000),
        shows=(value("connect"),),
        statement="IPVS costs less than iptables at 1,000 services",
        tests=(less("connect", "IPVS", "iptables"),),
        repeat="run service-routing -p mode=iptables,ipvs -p services=1000",
    )

The same object is a claim: its statement is confirmed or refuted by what a run has measured.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from cnbench.analysis.answers.cases import Cases, Picked, Why
from cnbench.analysis.number_format import minus
from cnbench.analysis.rows import finite
from cnbench.stats.intervals import Interval


class Verdict(enum.Enum):
    """What a run says about a statement."""

    CONFIRMED = "confirmed"
    REFUTED = "refuted"
    INCONCLUSIVE = "inconclusive"
    NOT_TESTABLE = "not testable here"


@dataclass(frozen=True)
class Part:
    """One figure of an answer.

    Attributes:
        label: what it is of.
        text: the figure as a person reads it.
        span: its 95 % interval likewise; empty where it has none.
        interval: both in ``unit``; None for what is no number.
        unit: a base unit; ``""`` for a quotient.
        paired: for what two cases together give, whether they shared their blocks.
    """

    label: str
    text: str
    span: str = ""
    interval: Interval | None = None
    unit: str = ""
    paired: bool = True

    def __str__(self) -> str:
        return f"{self.label} {self.figure}".strip()

    @property
    def figure(self) -> str:
        """The figure with its interval, without the label (whose hyphens are no minus signs)."""
        return minus(f"{self.text} [{self.span}]" if self.span else self.text)


# The figures that an answer shows, of those cases that there are.
Show = Callable[[Picked], Iterable[Part]]


@dataclass(frozen=True)
class Tested:
    """What a test came to: its verdict, the figure that decided, and why where there is none."""

    verdict: Verdict
    part: Part | None = None
    why: str = ""


Test = Callable[[Picked], Tested]
# A closing remark: what to conclude, or nothing.
Remark = Callable[[Picked], str]


def nothing_more(picked: Picked) -> str:
    """For an answer whose figures speak for themselves."""
    return ""


@dataclass(frozen=True)
class Answer:
    """See above.

    Attributes:
        experiment: whose cases settle it.
        question: what a reader wants to know, as a heading.
        cases: which cases those are.
        shows: the figures of the answer.
        statement: what everybody says.
        tests: what must hold for the statement; each is of the figures of one venue.
        repeat: the command that measures it again, after ``cnbench``.
        remark: what follows from the figures, in a few words.
        rank: its number among the experiment's that a run ends with and a report begins with, as
            far as there is room (``answers_of``); 0 for a claim alone.
    """

    experiment: str
    question: str
    cases: Cases
    shows: tuple[Show, ...]
    statement: str
    tests: tuple[Test, ...]
    repeat: str
    remark: Remark = nothing_more
    rank: int = 0


@dataclass(frozen=True)
class Finding:
    """What a run says to an answer, from the cases of one venue.

    Attributes:
        answer: the question and the statement.
        where: lab, clock and kernel, in a few words; empty where nothing was measured.
        parts: the figures.
        remark: what follows from them.
        verdict: on the statement.
        why: what is missing for a verdict, or what else there is to say.
        deciding: the figure that decided.
        complete: how many of the answer's cases were measured.
    """

    answer: Answer
    where: str
    parts: tuple[Part, ...]
    remark: str
    verdict: Verdict
    why: str
    deciding: Part | None = None
    complete: int = 0

    @property
    def sentence(self) -> str:
        """The answer in a sentence."""
        told = ", ".join(map(str, self.parts))
        return f"{told}: {self.remark}" if self.remark and told else told or self.remark

    @property
    def evidence(self) -> str:
        """The figures and what decided, or why there is nothing to decide by."""
        if self.verdict is Verdict.NOT_TESTABLE:
            return self.why
        told = ", ".join(map(str, self.parts))
        if self.deciding is None or self.deciding.figure in told:
            return f"{told}: {self.why}" if self.why else told
        return f"{self.deciding}; {told}"

    @property
    def unpaired(self) -> bool:
        """Whether a figure is of cases that shared no blocks."""
        return any(not part.paired for part in self.parts)

    def as_json(self) -> dict[str, Any]:
        """The finding for ``--json``, in base units."""
        return {
            "experiment": self.answer.experiment,
            "question": self.answer.question,
            "answer": self.sentence,
            "statement": self.answer.statement,
            "verdict": self.verdict.value,
            "why": self.why,
            "where": self.where,
            "paired": not self.unpaired,
            "figures": [_part_as_json(part) for part in self.parts],
            "repeat": f"cnbench {self.answer.repeat}",
        }


def find(answer: Answer, picked: Picked) -> Finding:
    """What the cases of one venue say to an answer."""
    parts = tuple(part for show in answer.shows for part in show(picked))
    tested = [test(picked) for test in answer.tests]
    verdict = overall([each.verdict for each in tested])
    deciding = next(each for each in tested if each.verdict is verdict)
    return Finding(
        answer,
        picked.where,
        parts,
        answer.remark(picked),
        verdict,
        deciding.why,
        deciding.part,
        len(picked.measured),
    )


def unmeasured(answer: Answer, why: Why) -> Finding:
    """The finding of a run that has none of an answer's cases."""
    return Finding(answer, "", (), "", Verdict.NOT_TESTABLE, str(why))


def overall(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict on what takes several tests: what speaks against it comes first."""
    found = set(verdicts)
    for verdict in (Verdict.REFUTED, Verdict.NOT_TESTABLE, Verdict.INCONCLUSIVE):
        if verdict in found:
            return verdict
    return Verdict.CONFIRMED


def _part_as_json(part: Part) -> dict[str, Any]:
    interval = part.interval
    return {
        "label": part.label,
        "text": part.text,
        "estimate": finite(interval.estimate) if interval else None,
        "low": finite(interval.low) if interval else None,
        "high": finite(interval.high) if interval else None,
        "unit": part.unit,
        "paired": part.paired,
    }
