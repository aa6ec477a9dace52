"""``cnbench list``: experiments, their parameters, metrics and variants."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import click
from rich import box
from rich.table import Table

from cnbench.cli.options import json_option
from cnbench.cli.tables import console
from cnbench.core.experiment import Experiment
from cnbench.core.parameter import Parameter, Point, Value, Values
from cnbench.experiments.registry import all_experiments, experiment_called

_DEPENDENT = "*"


@click.command("list")
@click.argument("experiment", required=False)
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
        click.echo(json.dumps([_as_json(one) for one in found], indent=1))
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
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("experiment", "question", "variants", "metrics"):
        table.add_column(heading)
    for experiment in experiments:
        variants = experiment.parameter(experiment.variant)
        table.add_row(
            experiment.name,
            experiment.question,
            f"{variants.name} {', '.join(variants.choices)}",
            ", ".join(metric.name for metric in experiment.metrics),
        )
    console().print(table)


def _print_one(experiment: Experiment) -> None:
    """Everything about one experiment."""
    out = console()
    out.print(f"[bold]{experiment.name}[/]  {experiment.question}\n")
    if experiment.caveat:
        out.print(f"{experiment.caveat}\n")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("parameter", "quick", "full", "what it is"):
        table.add_column(heading)
    grids = {full: experiment.grid(full, {}) for full in (False, True)}
    for parameter in experiment.parameters:
        variant = " (variant)" if parameter.name == experiment.variant else ""
        quick = _values_in_words(parameter, parameter.quick, grids[False])
        full = _values_in_words(parameter, parameter.full, grids[True])
        table.add_row(parameter.name + variant, quick, full, parameter.summary)
    out.print(table)
    if any(callable(values) for p in experiment.parameters for values in (p.quick, p.full)):
        out.print(f"{_DEPENDENT} which of them follows from the parameters above\n")
    metrics = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("metric", "better", "what it is"):
        metrics.add_column(heading)
    for metric in experiment.metrics:
        metrics.add_row(metric.name, metric.better, metric.summary)
    out.print(metrics)


def _values_in_words(parameter: Parameter, values: Values, grid: Sequence[Point]) -> str:
    """A parameter's values in words; those that follow from others as the ``grid`` has them."""
    if not callable(values):
        return ", ".join(map(parameter.show, values))
    found = dict.fromkeys(point[parameter.name] for point in grid)
    return ", ".join(map(parameter.show, found)) + (f" {_DEPENDENT}" if len(found) > 1 else "")
