"""What the benchmark classes share: measure a grid once, then hand asv the samples of each case.

asv runs every benchmark and parameter in a process of its own, one after the other, so variants
would be minutes apart. ``setup_cache`` runs once a class: there the whole grid is measured, in
interleaved blocks and with proofs; the ``track_*`` methods only pick their samples out.

A class whose cost is that of executed code is measured in a guest that counts instructions, where
one is built (``cnbench guest build``): its medians repeat to hundredths of a per cent on the
noisiest machine, so ``asv continuous`` raises no false alarm. The others, and all where no guest is
built, are measured on the host's clock.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from cnbench.asv.conversion import asv_samples, cost_unit
from cnbench.asv.hearing import FEWEST_SAMPLES
from cnbench.asv.lab_choice import venue_for
from cnbench.core.case import Group
from cnbench.core.errors import CnbenchError
from cnbench.core.experiment import Experiment
from cnbench.core.parameter import Params, Point, Value
from cnbench.core.run import CaseResult, Request
from cnbench.core.venue import HOST, Venue
from cnbench.experiments.registry import experiment_called
from cnbench.lab import journal
from cnbench.measuring.dispatch import measure
from cnbench.measuring.events import CaseEnded, Event, Warned
from cnbench.measuring.own_services import with_services_of
from cnbench.measuring.plan import QUICK_SECONDS, Plan, make_groups

# A point's values of the axes, as written.
Written = tuple[str, ...]
Measured = dict[Written, CaseResult]


def checked_out() -> Path:
    """Where asv has the commit that is measured.

    It says so only where it has just installed it (asv 0.6.6, ``Environment.install_project``); a
    commit that is installed already is still where it was checked out, and an environment that is
    not asv's own has no place but that of its configuration.
    """
    if built := os.environ.get("ASV_BUILD_DIR"):
        return Path(built)
    if environment := os.environ.get("ASV_ENV_DIR"):
        return Path(environment, "project")
    return Path(os.environ.get("ASV_CONF_DIR", "."))


class Suite:
    """One experiment for asv.

    A subclass sets ``experiment`` and ``axes``, and defines ``setup_cache`` itself: asv tells
    caches apart by the file and line of that method, so an inherited one would be shared.

    Attributes:
        experiment: its name.
        axes: parameter name to values, as written after ``-p``.
        fixed: parameter name to its one value, likewise. What is neither here nor an axis has the
            first of its quick values.
        services_from: a file of Services in the repository that is measured: service-routing is
            then about those of the commit; empty for made-up ones.
        counted: its cost is that of executed code, not of a disk or of waiting, so that a count of
            instructions says it.
        venue: where it is measured, which follows.
        version: raised when the meaning of the numbers changes, so that asv keeps the old ones
            apart. Without it, asv takes a hash of source code: a comment would end a history.
            Counts have a version of their own, as they must never share a line with seconds.
    """

    experiment: ClassVar[str]
    axes: ClassVar[Mapping[str, Written]]
    fixed: ClassVar[Mapping[str, str]] = {}
    services_from: ClassVar[str] = ""
    counted: ClassVar[bool] = False
    venue: ClassVar[Venue] = HOST
    version: ClassVar[str] = "1"

    def __init_subclass__(cls) -> None:
        """Decide where the class is measured, and give its benchmarks the units of that clock."""
        super().__init_subclass__()
        cls.venue = venue_for(cls.counted)
        if cls.venue.clock != "wall":
            cls.version = f"{cls.version} {cls.venue.clock}"
        for track in vars(cls).values():
            if metric := getattr(track, "metric", None):
                track.unit = cost_unit(metric, cls.venue.clock)
                # What asv's page shows as the benchmark's code: how to measure it without asv.
                track.pretty_source = (
                    f"# {metric.name}: {metric.summary}\n"
                    f"cnbench run {cls.experiment} --clock {cls.venue.clock}"
                )

    @property
    def param_names(self) -> list[str]:
        """The names of the axes, for asv."""
        return list(self.axes)

    @property
    def params(self) -> list[list[str]]:
        """The values of each axis, for asv."""
        return [list(values) for values in self.axes.values()]

    def setup(self, measured: Measured, *point: str) -> None:
        """Skip what cannot be measured here; asv does so on NotImplementedError, in setup alone."""
        result = measured.get(point)
        if result is None:
            raise NotImplementedError("this combination makes no sense")
        if result.status == "unsupported":
            raise NotImplementedError(f"{result.reason}; {result.remedy}")

    def measured(self) -> Measured:
        """Measure the grid; each result under its values of the axes, as written.

        Raises:
            SystemExit: it could not be measured; asv shows the sentence.
        """
        journal.collect()  # asv kills what takes too long, and then nobody has tidied up
        try:
            own, inputs = self._own_services()
            grid = Grid(experiment_called(self.experiment), self.axes, self.fixed, own)
            return {grid.written(r.case.params): r for r in _results_of(grid, self.venue, inputs)}
        except CnbenchError as error:
            raise SystemExit(_sentence(error)) from None

    def _own_services(self) -> tuple[Mapping[str, tuple[Value, ...]], Mapping[str, str]]:
        """The parameters that follow from the commit's services, and the contents of their file."""
        if not self.services_from:
            return {}, {}
        file = checked_out() / self.services_from
        written = {**self.axes, **{name: (text,) for name, text in self.fixed.items()}}
        of = experiment_called(self.experiment)
        given = {
            name: tuple(of.parameter(name).parse(text) for text in texts)
            for name, texts in written.items()
        }
        request = Request((of.name,), False, {of.name: given}, "auto", "auto", None, 1)
        about, _ = with_services_of(file, request)
        return about.given[of.name], about.inputs


class Grid:
    """The points of an experiment that its benchmark class measures, and how asv names them.

    Raises:
        CnbenchError: a parameter or a value that the experiment does not have.
    """

    def __init__(
        self,
        experiment: Experiment,
        axes: Mapping[str, Written],
        fixed: Mapping[str, str],
        own: Mapping[str, tuple[Value, ...]] | None = None,
    ) -> None:
        self.experiment = experiment
        self._texts = {
            name: {experiment.parameter(name).parse(text): text for text in texts}
            for name, texts in axes.items()
        }
        given: dict[str, tuple[Value, ...]] = dict(own or {}) | {
            name: (experiment.parameter(name).parse(text),) for name, text in fixed.items()
        }
        given |= {name: tuple(values) for name, values in self._texts.items()}
        first: dict[Written, Point] = {}
        for point in experiment.grid(False, given):
            first.setdefault(self.written(point), point)
        self.points = list(first.values())

    def written(self, params: Params) -> Written:
        """A point's values of the axes, as written."""
        return tuple(texts[params[name]] for name, texts in self._texts.items())

    def groups(self, venue: Venue) -> tuple[Group, ...]:
        """The points in the groups that share blocks, all of them at ``venue``."""
        groups = make_groups(self.experiment, venue, self.points)
        return tuple(replace(group, number=number) for number, group in enumerate(groups))


def _results_of(grid: Grid, venue: Venue, inputs: Mapping[str, str]) -> list[CaseResult]:
    results: list[CaseResult] = []

    def keep(event: Event) -> None:
        if isinstance(event, CaseEnded):
            results.append(event.result)
        elif isinstance(event, Warned):
            print(event.message, file=sys.stderr)

    plan = Plan(
        grid.groups(venue),
        seconds=QUICK_SECONDS,
        budget=None,
        seed=1,
        fewest_blocks=FEWEST_SAMPLES,
        inputs=inputs,
    )
    measure(plan, keep)
    return results


def _refuse_a_second_time(what: str) -> None:
    """Stop asv from counting the same samples twice, as ``asv run -a rounds=2`` would.

    asv runs all that uses one cache in the cache's own folder, so a file there can remember.
    """
    try:
        Path(f"{what.replace('/', '_')}.handed-out").touch(exist_ok=False)
    except FileExistsError:
        raise SystemExit(
            f"asv asked for the samples of {what} twice, and would take them for twice as many "
            "(more rounds need --interleave-rounds, which measures again in each)"
        ) from None


def _sentence(error: CnbenchError) -> str:
    return f"{error} ({error.remedy})" if error.remedy else str(error)


def tracked(experiment_name: str, metric_name: str) -> Callable[..., dict[str, Any]]:
    """A ``track_*`` method for a metric, as a cost (see ``cnbench.asv.conversion``)."""
    metric = experiment_called(experiment_name).metric(metric_name)

    def track(self: Suite, measured: Measured, *point: str) -> dict[str, Any]:
        try:
            samples = asv_samples(measured[point], metric)
        except CnbenchError as error:
            raise SystemExit(_sentence(error)) from None
        _refuse_a_second_time(" ".join((metric_name, *point)))
        return samples

    # What asv reads of a benchmark, and what `Suite` gives it a unit by.
    vars(track).update(metric=metric, pretty_name=f"{experiment_name}: {metric.name}")
    track.__doc__ = metric.summary
    return track
