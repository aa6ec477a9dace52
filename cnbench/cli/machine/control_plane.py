"""``cnbench control-plane``: the servers of Kubernetes that experiments start."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import click

from cnbench.cli.options import json_option
from cnbench.cli.wide_tables import Column, console, print_table
from cnbench.control_plane.build.recipes import RECIPES, Built, built, ensure, recipe_called
from cnbench.core.units import format_quantity


@click.group("control-plane")
def command() -> None:
    """The servers of a Kubernetes control plane: built once, started by experiments.

    \b
    Example:
      cnbench control-plane list
    """


@command.command("build")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--rebuild", is_flag=True, help="Build again what is in the cache.")
def build(names: tuple[str, ...], rebuild: bool) -> None:
    """Build servers into the cache; needs the network and 6 GB meanwhile, but not root.

    Without NAME, all that `cnbench control-plane list` knows: a quarter of an hour of CPU time.
    Sources, libraries and the compiler are Debian's, from this machine's mirror.

    \b
    Examples:
      cnbench control-plane build
      cnbench control-plane build kubernetes-1.20
    """
    for recipe in [recipe_called(name) for name in dict.fromkeys(names)] or RECIPES.values():
        found = ensure(recipe, _say, rebuild)
        click.echo(f"{recipe.name}: {', '.join(found.digests)} are ready in {found.folder}")


@command.command("list")
@json_option
def list_(as_json: bool) -> None:
    """What can be built, and what is in the cache."""
    found = {name: built(recipe) for name, recipe in RECIPES.items()}
    if as_json:
        click.echo(json.dumps({name: _facts(one) for name, one in found.items()}, indent=1))
        return
    columns = [
        Column("servers", tuple(found), telling=True),
        Column("programs", tuple(_programs(name, one) for name, one in found.items())),
        Column("built", tuple(_state(one) for one in found.values())),
    ]
    print_table(console(), columns)


def _facts(found: Built | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {**asdict(found), "recipe": found.recipe.name, "folder": str(found.folder)}


def _programs(name: str, found: Built | None) -> str:
    return ", ".join(found.digests if found else (*RECIPES[name].programs, "etcd"))


def _state(found: Built | None) -> str:
    return f"in {format_quantity(found.seconds, 's')}" if found else "not yet"


def _say(what: str) -> None:
    click.echo(f"{what} ...", err=True)
