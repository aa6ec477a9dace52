"""``cnbench doctor``: what this machine can measure, and what would supply the rest."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict

import click
from rich.markup import escape
from rich.padding import Padding

from cnbench.cli.options import json_option
from cnbench.cli.wide_tables import Column, console, print_table
from cnbench.control_plane.build.recipes import RECIPES, built
from cnbench.experiments.registry import all_experiments
from cnbench.lab import commands
from cnbench.lab.guest import qemu
from cnbench.lab.guest.acceleration import what_is_known
from cnbench.lab.guest.build.kernels import built_kernels
from cnbench.lab.host import open_lab
from cnbench.measuring.capabilities import Capability, examine


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
            for finding in examine(experiment, lab)
        ]
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings], indent=1))
        return
    out = console()
    out.print(f"host   kernel {escape(platform.release())}")
    out.print(f"guest  {escape(_guests())}")
    out.print(f"servers of Kubernetes  {escape(_servers())}\n")
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


def _servers() -> str:
    """Which servers of Kubernetes were built here, or how to get them."""
    found = [name for name, recipe in RECIPES.items() if built(recipe)]
    missing = [name for name in RECIPES if name not in found]
    built_here = [f"{', '.join(found)} built"] if found else []
    not_here = [f"{', '.join(missing)} not built → cnbench control-plane build"] if missing else []
    return "; ".join(built_here + not_here)


def _print(findings: list[Capability]) -> None:
    """What can be measured, an experiment a line; then what is missing, a reason a paragraph."""
    out = console()
    by_experiment: dict[str, list[Capability]] = {}
    for finding in findings:
        by_experiment.setdefault(finding.experiment, []).append(finding)
    columns = [
        Column("experiment", tuple(by_experiment), telling=True),
        Column("can be measured here", _variants_of(by_experiment, True), sentences=True),
        Column("cannot", _variants_of(by_experiment, False), sentences=True),
    ]
    print_table(out, columns)
    for (reason, remedy), lacking in _by_reason(findings).items():
        out.print(f"\n[yellow]✗[/] {escape('; '.join(lacking))}")
        out.print(Padding(escape(reason), (0, 0, 0, 2)))
        if remedy:
            out.print(Padding(f"→ {escape(remedy)}", (0, 0, 0, 2)))


def _variants_of(
    by_experiment: Mapping[str, Sequence[Capability]], supported: bool
) -> tuple[str, ...]:
    colour = "green" if supported else "yellow"
    shown = (
        escape(
            _together(
                [capability.variant for capability in found if capability.supported == supported]
            )
        )
        for found in by_experiment.values()
    )
    return tuple(f"[{colour}]{variants}[/]" if variants else "" for variants in shown)


def _together(variants: Sequence[str]) -> str:
    """Values of one parameter with its name written once: ``mode=iptables, nftables``."""
    names = {variant.partition("=")[0] for variant in variants}
    alone = len(names) == 1 and not any(" " in variant for variant in variants)
    rest = [variant.partition("=")[2] if alone else variant for variant in variants[1:]]
    return ", ".join([*variants[:1], *rest])


def _by_reason(findings: Sequence[Capability]) -> dict[tuple[str, str], list[str]]:
    """The experiments and variants that lack something, by what that is."""
    found: dict[tuple[str, str], dict[str, list[str]]] = {}
    for capability in findings:
        if not capability.supported:
            lacking = found.setdefault((capability.reason, capability.remedy), {})
            lacking.setdefault(capability.experiment, []).append(capability.variant)
    return {
        why: [f"{name} {_together(variants)}" for name, variants in lacking.items()]
        for why, lacking in found.items()
    }
