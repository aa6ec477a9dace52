"""Which cases and metrics of two runs are compared: all of them, or those that a user chose.

What is chosen is the family of the comparison: the chance of a false alarm is that of one
comparison for all that was chosen together, and not of what was left out. So a choice must be made
before the figures are looked at, as a command in a script is.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from cnbench.analysis.number_format import value_text
from cnbench.core.case import Case
from cnbench.core.errors import UsageError
from cnbench.core.metric import Metric
from cnbench.core.nearest import choose_from
from cnbench.core.parameter import Value
from cnbench.core.run import Run
from cnbench.core.units import parse_quantity


@dataclass(frozen=True)
class Choice:
    """What to compare.

    Attributes:
        metrics: their names; empty for all.
        values: parameter to the values of it, as a person writes them; a case that does not have
            the parameter is not chosen.
        pattern: a regular expression that is found in the case as ``written``; empty for all.
    """

    metrics: tuple[str, ...] = ()
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    pattern: str = ""

    def of(self, run: Run) -> Run:
        """``run`` with the chosen cases alone.

        Raises:
            UsageError: the pattern is no regular expression.
        """
        found = [result for result in run.cases if self.has(result.case, _units(run, result.case))]
        return run if len(found) == len(run.cases) else replace(run, cases=found)

    def has(self, case: Case, units: Mapping[str, str]) -> bool:
        """Whether ``case``, whose parameters have ``units``, is chosen.

        Raises:
            UsageError: the pattern is no regular expression.
        """
        if not self._has_values(case, units):
            return False
        if not self.pattern:
            return True
        try:
            return bool(re.search(self.pattern, written(case, units)))
        except re.error as error:
            raise UsageError(
                f"'{self.pattern}' is no regular expression: {error}",
                "write --match 'iptables.*services=1000'",
            ) from None

    def wants(self, metric: Metric) -> bool:
        """Whether ``metric`` is chosen."""
        return not self.metrics or metric.name in self.metrics

    def require(self, runs: Sequence[Run]) -> None:
        """Refuse what is chosen and none of ``runs`` has: a gate must not compare less in silence.

        Raises:
            UsageError: there is no metric, parameter or value of that name; the remedy has those
                that there are.
        """
        records = [record for run in runs for record in run.experiments.values()]
        self.require_metrics(metric for record in records for metric in record.metrics)
        _refuse_unknown("parameter", self.values, {name for r in records for name in r.parameters})
        for name, texts in self.values.items():
            having = [
                (result.case.params[name], _units(run, result.case).get(name, ""))
                for run in runs
                for result in run.cases
                if name in result.case.params
            ]
            for text in texts:
                if not any(_is(value, text, unit) for value, unit in having):
                    known = dict.fromkeys(value_text(value, unit) for value, unit in having)
                    raise UsageError(
                        f"no case of the runs has {name}={text}", choose_from(text, known)
                    )

    def require_metrics(self, known: Iterable[Metric]) -> None:
        """Refuse a chosen metric that is not among those ``known``.

        Raises:
            UsageError: the remedy has those that there are.
        """
        _refuse_unknown("metric", self.metrics, {metric.name for metric in known})

    def _has_values(self, case: Case, units: Mapping[str, str]) -> bool:
        return all(
            name in case.params
            and any(_is(case.params[name], text, units.get(name, "")) for text in texts)
            for name, texts in self.values.items()
        )


ALL = Choice()


def written(case: Case, units: Mapping[str, str]) -> str:
    """A case as one line: its experiment, its parameters as a person writes them, and where.

    Args:
        case: what is written.
        units: of its parameters, by their names.
    """
    params = (
        f"{name}={value_text(value, units.get(name, ''))}" for name, value in case.params.items()
    )
    return " ".join([case.experiment, *params, *case.where])


def _refuse_unknown(what: str, names: Iterable[str], known: Collection[str]) -> None:
    for name in names:
        if name not in known:
            raise UsageError(f"there is no {what} '{name}' here", choose_from(name, sorted(known)))


def _units(run: Run, case: Case) -> Mapping[str, str]:
    return run.experiments[case.experiment].parameters


def _is(value: Value, text: str, unit: str) -> bool:
    if isinstance(value, str):
        return value == text
    try:
        return bool(parse_quantity(text, unit) == value)
    except (UsageError, KeyError):  # what another cnbench has a unit of
        return text == value_text(value, unit)
