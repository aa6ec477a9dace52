"""``cnbench guest``: the images that guests boot from."""

from __future__ import annotations

import json

import click
from rich import box
from rich.table import Table

from cnbench.cli.options import json_option
from cnbench.cli.tables import console
from cnbench.core.units import format_quantity
from cnbench.lab.guest.images import built_userland, ensure_userland
from cnbench.lab.guest.kernels import built_kernels, ensure_kernel
from cnbench.lab.guest.sources import SUITES


@click.group("guest")
def command() -> None:
    r"""Build and list what guests boot from: one userland, and any number of kernels.

    \b
    Example:
      cnbench guest list
    """


@command.command("build")
@click.option(
    "--kernel",
    "kernels",
    multiple=True,
    default=("trixie",),
    show_default=True,
    metavar="SUITE|FILE",
    help=f"A Debian suite ({', '.join(SUITES)}) or the path of a vmlinuz; may be repeated.",
)
@click.option("--rebuild", is_flag=True, help="Fetch again what is in the cache.")
def build(kernels: tuple[str, ...], rebuild: bool) -> None:
    r"""Build the userland (once) and kernels into the cache; needs the network, but not root.

    \b
    Examples:
      cnbench guest build
      cnbench guest build --kernel bookworm --kernel sid
    """

    def say(what: str) -> None:
        click.echo(f"{what} ...", err=True)

    ensure_userland(say, rebuild)
    for name in dict.fromkeys(kernels):
        kernel = ensure_kernel(name, say, rebuild)
        click.echo(f"{kernel.name}: Linux {kernel.release} is ready")


@command.command("list")
@json_option
def list_(as_json: bool) -> None:
    """What is in the cache."""
    userland, kernels = built_userland(), built_kernels()
    if as_json:
        found = {
            "userland": userland and {"digest": userland.digest, "packages": userland.packages},
            "kernels": [
                {"name": k.name, "release": k.release, "digest": k.digest} for k in kernels
            ],
        }
        click.echo(json.dumps(found, indent=1))
        return
    if userland is None:
        click.echo("Nothing is built yet: cnbench guest build")
        return
    size = format_quantity(userland.path.stat().st_size, "B")
    click.echo(f"userland {userland.digest[:12]}, {size}, {len(userland.packages)} packages")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("kernel", "release", "digest"):
        table.add_column(heading)
    for kernel in kernels:
        table.add_row(kernel.name, kernel.release, kernel.digest[:12])
    console().print(table)
