"""``cnbench list``: experiments, their parameters, metrics and variants."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import click

from cnbench.cli import completion
from cnbench.cli.options import json_option
from cnbench.cli.wide_tables import Column, console, print_table
from cnbench.core.experiment import Experiment
from cnbench.core.parameter import Parameter, Point, Value, Values
from cnbench.experiments.registry import all_experiments, experiment_called

_DEPENDENT = "*"


@click.command("list")
@click.argument("experiment", required=False, shell_complete=completion.experiments)
@json_option
def command(experiment: str | None, as_json: bool) -> None:
    """List experiments, or the parameters and metrics of one.

    \b
    Examples:
      cnbench list
      cnbench list cpu-quota
    """
    found = [experiment_called(experiment)] if experiment else list(all_experiments().values())
    if as_json:
        click.echo(json.dumps([_as_json(listed) for listed in found], indent=1))
    elif experiment:
        _print_one(found[0])
    else:
        _print_all(found)


def _as_json(experiment: Experiment) -> dict[str, Any]:
    return {
        "experiment": experiment.name,
        "question": experiment.question,
        "caveat": experiment.caveat,
        "variant": experiment.variant,
        "parameters": [_parameter(parameter) for parameter in experiment.parameters],
        "metrics": [
            {"metric": m.name, "unit": m.unit, "better": m.better, "scale": m.scale}
            for m in experiment.metrics
        ],
    }


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "parameter": parameter.name,
        "summary": parameter.summary,
        "unit": parameter.unit,
        "choices": list(parameter.choices),
        "quick": _values(parameter.quick),
        "full": _values(parameter.full),
    }


def _values(values: Values) -> list[Value] | None:
    """The values, or null where they follow from other parameters."""
    return None if callable(values) else list(values)


def _print_all(experiments: Iterable[Experiment]) -> None:
    """One line an experiment."""
    found = list(experiments)
    metrics = (", ".join(metric.name for metric in listed.metrics) for listed in found)
    columns = [
        Column("experiment", tuple(listed.name for listed in found), telling=True),
        Column("question", tuple(listed.question for listed in found), sentences=True),
        Column("variants", tuple(map(_variants, found)), sentences=True),
        Column("metrics", tuple(metrics), sentences=True),
    ]
    print_table(console(), columns)


def _variants(experiment: Experiment) -> str:
    variant = experiment.parameter(experiment.variant)
    values = variant.choices or values_in_words(
        variant, variant.quick, experiment.grid(False, {})
    ).split(", ")
    return f"{variant.name} {', '.join(values)}"


def _print_one(experiment: Experiment) -> None:
    """Everything about one experiment."""
    out = console()
    out.print(f"[bold]{experiment.name}[/]  {experiment.question}\n")
    if experiment.caveat:
        out.print(f"{experiment.caveat}\n")
    print_table(out, list(_of_parameters(experiment)))
    if any(callable(values) for p in experiment.parameters for values in (p.quick, p.full)):
        out.print(f"{_DEPENDENT} which of them follows from the parameters above\n")
    metrics = experiment.metrics
    columns = [
        Column("metric", tuple(metric.name for metric in metrics), telling=len(metrics) > 1),
        Column("better", tuple(metric.better for metric in metrics)),
        Column("what it is", tuple(metric.summary for metric in metrics), sentences=True),
    ]
    print_table(out, columns)


def _of_parameters(experiment: Experiment) -> Iterator[Column]:
    names = (
        parameter.name + (" (variant)" if parameter.name == experiment.variant else "")
        for parameter in experiment.parameters
    )
    yield Column("parameter", tuple(names), telling=len(experiment.parameters) > 1)
    for full in (False, True):
        grid = experiment.grid(full, {})
        values = (
            values_in_words(parameter, parameter.full if full else parameter.quick, grid)
            for parameter in experiment.parameters
        )
        yield Column("full" if full else "quick", tuple(values), sentences=True)
    summaries = tuple(parameter.summary for parameter in experiment.parameters)
    yield Column("what it is", summaries, sentences=True)


def values_in_words(parameter: Parameter, values: Values, grid: Sequence[Point]) -> str:
    """A parameter's values in words; those that follow from others as the ``grid`` has them."""
    if not callable(values):
        return ", ".join(map(parameter.show, values))
    found = dict.fromkeys(point[parameter.name] for point in grid)
    return ", ".join(map(parameter.show, found)) + (f" {_DEPENDENT}" if len(found) > 1 else "")
