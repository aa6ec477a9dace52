"""``cnbench doctor``: what this machine can measure, and what would supply the rest."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterator
from dataclasses import asdict, dataclass

import click
from rich import box
from rich.markup import escape
from rich.table import Table

from cnbench.cli.options import json_option
from cnbench.cli.tables import console
from cnbench.core.errors import UnsupportedError
from cnbench.core.experiment import Experiment
from cnbench.experiments.registry import all_experiments
from cnbench.lab import commands
from cnbench.lab.guest import qemu
from cnbench.lab.guest.acceleration import what_is_known
from cnbench.lab.guest.build.kernels import built_kernels
from cnbench.lab.host import Lab, open_lab


@dataclass(frozen=True)
class Finding:
    """Whether one variant of one experiment can be measured in one lab."""

    lab: str
    experiment: str
    variant: str
    supported: bool
    reason: str = ""
    remedy: str = ""


@click.command("doctor")
@json_option
def command(as_json: bool) -> None:
    """Say what this machine can measure, lab by lab; what is missing, and what supplies it.

    \b
    Example:
      cnbench doctor
    """
    with open_lab("host", "wall") as lab:
        findings = [
            finding
            for experiment in all_experiments().values()
            for finding in _examine(experiment, lab)
        ]
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings], indent=1))
        return
    click.echo(f"host   kernel {platform.release()}")
    click.echo(f"guest  {_guests()}")
    _print(findings)


def _guests() -> str:
    """Which guests could be started here, or how to get one."""
    if not commands.find(qemu.PROGRAM):
        return f"{qemu.PROGRAM} is not installed → apt-get install qemu-system-x86"
    kernels = ", ".join(f"{kernel.name} ({kernel.release})" for kernel in built_kernels())
    if not kernels:
        return "no image is built → cnbench guest build"
    return (
        f"kernels {kernels}; whatever the host lacks: --lab guest\n"
        f"       on the wall clock by {what_is_known()}"
    )


def _examine(experiment: Experiment, lab: Lab) -> Iterator[Finding]:
    variant = experiment.parameter(experiment.variant)
    for value in variant.choices:
        point = experiment.grid(False, {variant.name: (value,)})[0]
        what = f"{variant.name}={value}"
        try:
            experiment.require(point, lab)
        except UnsupportedError as error:
            yield Finding(lab.name, experiment.name, what, False, str(error), error.remedy)
        else:
            yield Finding(lab.name, experiment.name, what, True)


def _print(findings: list[Finding]) -> None:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("lab", "experiment", "variant", "", "what is missing", "what supplies it"):
        table.add_column(heading)
    for finding in findings:
        table.add_row(
            finding.lab,
            finding.experiment,
            finding.variant,
            "[green]✓[/]" if finding.supported else "[yellow]✗[/]",
            escape(finding.reason),
            escape(finding.remedy),
        )
    console().print(table)
