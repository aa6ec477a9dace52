"""``cnbench cliffs``: where a cost leaves its line as a parameter grows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import click
from rich.markup import escape

from cnbench.analysis.curves.cliffs import CliffCurve, curves_of, reason, sentence
from cnbench.analysis.rows import Row, rows_of
from cnbench.cli import completion
from cnbench.cli.measure.asked import Asked, asking
from cnbench.cli.measure.measuring import measure_and_record, say_what_is_left_out
from cnbench.cli.options import json_option
from cnbench.cli.wide_tables import Column, console, print_table
from cnbench.core.errors import CnbenchError, ExitCode, UsageError
from cnbench.core.experiment import Experiment
from cnbench.core.parameter import Value
from cnbench.core.run import Request
from cnbench.core.units import format_quantity
from cnbench.experiments.registry import experiment_called
from cnbench.measuring.planning import plan_for
from cnbench.stats.pieces.design import first_sizes
from cnbench.stats.pieces.lines import Break
from cnbench.store.recorder import Recorder, new_run
from cnbench.store.runs import results_folder

_RANGE = re.compile(r"(\d+)\.\.(\d+)")
_EXAMPLE = "cnbench cliffs service-routing -p services=1..20000 -p mode=iptables"


@dataclass(frozen=True)
class _Search:
    """What is looked through: ``request`` has all but the sizes.

    ``jobs`` guests count at once, all of them set up ``anew`` if that is asked.
    """

    experiment: Experiment
    parameter: str
    low: int
    high: int
    request: Request
    jobs: int | None
    anew: bool

    def measured(self, sizes: Sequence[int]) -> list[Row]:
        """Measure at ``sizes``, into a run file beside those that a user asked for."""
        given: dict[str, tuple[Value, ...]] = dict(self.request.given[self.experiment.name])
        given[self.parameter] = tuple(sizes)
        request = replace(self.request, given={self.experiment.name: given})
        run = new_run(request, [self.experiment])
        say_what_is_left_out(request)
        path = results_folder().parent / "cliffs" / f"{run.id}.json"
        recorder = Recorder(run, path)
        measure_and_record([plan_for(request)], recorder, jobs=self.jobs, anew=self.anew)
        return rows_of(run)


@click.command("cliffs")
@click.argument("experiment", shell_complete=completion.experiments)
@click.option(
    "--points",
    type=click.IntRange(min=6),
    default=10,
    show_default=True,
    help="How many sizes are measured at most.",
)
@click.option("--metric", help="What to look at.  [default: the experiment's first]")
@click.option("--why", is_flag=True, help="Count instructions at the same sizes, where it breaks.")
@asking
@json_option
def command(
    experiment: str,
    points: int,
    metric: str | None,
    why: bool,
    asked: Asked,
    jobs: int | None,
    anew: bool,
    as_json: bool,
) -> int:
    """Find where EXPERIMENT's cost leaves its line, as the parameter grows that is given as A..B.

    It chooses the sizes itself: few where the curve is straight, more where it bends.

    \b
    Examples:
      cnbench cliffs service-routing -p services=1..20000 \\
        -p mode=iptables -p measure=connect
      cnbench cliffs namespaces -p live=0..2000 -p kind=net \\
        --lab guest --clock instructions
    """
    found = experiment_called(experiment)
    parameter, low, high, rest = _range_among(found, asked.assignments)
    request = replace(asked, assignments=tuple(rest)).request([found.name])
    search = _Search(found, parameter, low, high, request, jobs, anew)
    name = found.metric(metric).name if metric else found.metrics[0].name
    rows = _explore(search, name, points)
    curves = curves_of(rows, parameter, name)
    if not curves:
        raise CnbenchError(_why_none(rows, name), _EXAMPLE)
    counted = _count(search, name, curves) if why else {}
    told = [_Told(curve, counted.get(curve.params)) for curve in curves]
    if as_json:
        click.echo(json.dumps({"curves": [telling.as_json() for telling in told]}, indent=1))
    else:
        for telling in told:
            telling.print(found)
    return ExitCode.FINE


def _range_among(
    experiment: Experiment, assignments: Sequence[str]
) -> tuple[str, int, int, list[str]]:
    """The one parameter that is given as a range, its ends, and the other assignments."""
    ranges = [
        (assignment, _RANGE.fullmatch(assignment.partition("=")[2].strip()))
        for assignment in assignments
    ]
    found = [(assignment.partition("=")[0], match) for assignment, match in ranges if match]
    if len(found) != 1:
        raise UsageError("one parameter has to be given as a range", _EXAMPLE)
    ((name, match),) = found
    low, high = int(match[1]), int(match[2])
    parameter = experiment.parameter(name)
    for end in (low, high):
        parameter.parse(str(end))
    if high < 8 * max(1, low):
        raise UsageError(f"{low} to {high} is too short to leave a line", "make it eight times")
    return name, low, high, [assignment for assignment, match in ranges if not match]


def _explore(search: _Search, metric: str, points: int) -> list[Row]:
    """The rows of all sizes, chosen one after the other."""
    sizes = first_sizes(search.low, search.high)
    rows = search.measured(sizes)
    while len(sizes) < points:
        curves = curves_of(rows, search.parameter, metric)
        wanted = {size for curve in curves if (size := curve.next_size())} - set(sizes)
        if not wanted:
            break
        chosen = sorted(wanted)[: points - len(sizes)]
        click.echo(f"next: {search.parameter}={','.join(map(str, chosen))}", err=True)
        sizes += chosen
        rows += search.measured(chosen)
    return rows


def _why_none(rows: Sequence[Row], metric: str) -> str:
    reasons = {row.reason for row in rows if row.metric.name == metric and row.reason}
    return f"nothing could be measured: {'; '.join(sorted(reasons)) or 'there is no such case'}"


def _count(
    search: _Search, metric: str, curves: Sequence[CliffCurve]
) -> dict[tuple[tuple[str, Value], ...], tuple[Break, ...]]:
    """The breaks of each curve where instructions are counted at the sizes that were measured."""
    broken = [curve for curve in curves if curve.clock == "wall" and curve.breaks()]
    if not broken:
        return {}
    counting = replace(search, request=replace(search.request, lab="guest", clock="instructions"))
    rows = counting.measured(broken[0].sizes)
    found = curves_of(rows, search.parameter, metric)
    return {curve.params: curve.breaks() for curve in found}


@dataclass(frozen=True)
class _Told:
    """A curve and what is said of it."""

    curve: CliffCurve
    counted: tuple[Break, ...] | None

    def sentences(self) -> Iterator[tuple[Break, str]]:
        for cliff in self.curve.breaks():
            yield cliff, reason(cliff, self.counted, self.curve.clock)

    def as_json(self) -> dict[str, Any]:
        curve = self.curve
        return {
            "params": dict(curve.params),
            "parameter": curve.parameter,
            "metric": curve.metric.name,
            "unit": curve.unit,
            "clock": curve.clock,
            "where": list(curve.where),
            "points": [
                {"size": size, "cost": cost, "noise": noise}
                for size, cost, noise in zip(curve.sizes, curve.costs, curve.noise, strict=True)
            ],
            "misfit": curve.pieces().misfit,
            "growth": asdict(smooth) if (smooth := curve.growth()) else None,
            "breaks": [asdict(cliff) | {"reason": why} for cliff, why in self.sentences()],
        }

    def print(self, experiment: Experiment) -> None:
        curve = self.curve
        out = console()
        shown = experiment.show(dict(curve.params))
        point = " ".join(f"{name}={value}" for name, value in shown.items())
        where = " ".join(curve.where)
        title = f"[bold]{experiment.name}[/] {escape(point)} {escape(where)}  {curve.metric.name}"
        costs = tuple(format_quantity(cost, curve.unit) for cost in curve.costs)
        noise = tuple(format_quantity(share, curve.unit) for share in curve.noise)
        sizes = tuple(f"{size:,}" for size in curve.sizes)
        columns = [
            Column(curve.parameter, sizes, right=True),
            Column(f"cost, {curve.clock} clock", costs, right=True),
            Column("standard deviation", noise, right=True),
        ]
        print_table(out, columns, title)
        found = list(self.sentences())
        if smooth := curve.growth():
            out.print(
                f"It bends everywhere, and leaves no line: it grows as {curve.parameter} to the "
                f"{smooth.exponent:.2g} ({smooth.low:.2g} to {smooth.high:.2g}).\n"
            )
        elif not found:
            out.print("It stays on one line.\n")
        for cliff, why in found:
            out.print(f"It leaves its line {escape(sentence(curve, cliff))}.")
            out.print(f"  {escape(why)}.\n")
