"""The tests of what everybody says: what must hold of the figures that a venue has."""

from __future__ import annotations

import math

from cnbench.analysis.answers.answer import Part, Test, Tested, Verdict, overall
from cnbench.analysis.answers.cases import Picked
from cnbench.analysis.answers.figures import Figure, of, ratio


def within(
    figure: Figure, low: float = -math.inf, high: float = math.inf, *, needs: tuple[str, ...] = ()
) -> Test:
    """The figure's whole interval lies between ``low`` and ``high``: the statement is confirmed.

    Refuted where all of it lies outside, inconclusive otherwise. ``needs`` are the labels that the
    figure is of, to say which of them is missing.
    """

    def test(picked: Picked) -> Tested:
        part = figure(picked)
        if part is None or part.interval is None:
            return Tested(Verdict.NOT_TESTABLE, why=_missing(picked, needs))
        interval = part.interval
        if low <= interval.low and interval.high <= high:
            return Tested(Verdict.CONFIRMED, part)
        if interval.high < low or interval.low > high:
            return Tested(Verdict.REFUTED, part)
        return Tested(Verdict.INCONCLUSIVE, part)

    return test


def all_within(metric: str, low: float, high: float) -> Test:
    """The metric of every label that was measured lies between ``low`` and ``high``."""

    def test(picked: Picked) -> Tested:
        tested = [within(of(metric, label), low, high)(picked) for label in picked.measured]
        verdict = overall([each.verdict for each in tested])
        return next(each for each in tested if each.verdict is verdict)

    return test


def less(metric: str, one: str, other: str, by: float = 0.0) -> Test:
    """One label's metric is below the other's, by at least the share ``by``."""
    return within(ratio(metric, one, other), 0.0, 1.0 - by, needs=(one, other))


def equal(metric: str, one: str, other: str, margin: float) -> Test:
    """Two labels' metrics differ by at most the share ``margin``."""
    return within(ratio(metric, one, other), 1 / (1 + margin), 1 + margin, needs=(one, other))


def at_most(figure: Figure, high: float, *needs: str) -> Test:
    """The figure is not above ``high``."""
    return within(figure, high=high, needs=needs)


def at_least(figure: Figure, low: float, *needs: str) -> Test:
    """The figure is not below ``low``."""
    return within(figure, low=low, needs=needs)


def works(label: str) -> Test:
    """The label's case was measured, with proof."""

    def test(picked: Picked) -> Tested:
        if label in picked.measured:
            return Tested(Verdict.CONFIRMED)
        return Tested(Verdict.NOT_TESTABLE, why=str(picked.why_not(label)))

    return test


def fails(label: str, where_works: str) -> Test:
    """The label's case cannot be, on a machine where the same elsewhere (``where_works``) can."""

    def test(picked: Picked) -> Tested:
        if label in picked.measured:
            return Tested(Verdict.REFUTED, Part(label, "works"))
        if label in picked.others and where_works in picked.measured:
            return Tested(Verdict.CONFIRMED, why=picked.others[label].result.reason)
        return Tested(Verdict.NOT_TESTABLE, why=str(picked.why_not(where_works)))

    return test


def _missing(picked: Picked, needs: tuple[str, ...]) -> str:
    absent = [label for label in needs if label not in picked.measured]
    return str(picked.why_not(absent[0])) if absent else "too few blocks or sizes"
