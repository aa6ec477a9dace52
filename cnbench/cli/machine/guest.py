"""``cnbench guest``: the images that guests boot from."""

from __future__ import annotations

import json
import sys

import click

from cnbench.cli.options import json_option
from cnbench.cli.wide_tables import Column, console, print_table
from cnbench.core.errors import ExitCode, UsageError
from cnbench.core.metric import ClockName
from cnbench.core.units import format_quantity
from cnbench.lab.guest import remote_command, start
from cnbench.lab.guest.build.images import USERLANDS, built_userland, ensure_userland
from cnbench.lab.guest.build.kernels import built_kernels, ensure_kernel
from cnbench.lab.guest.build.sources import SUITES

# A command that is silent for longer has been forgotten by its user.
_A_DAY = 86400


_userland_option = click.option(
    "--userland",
    type=click.Choice(list(USERLANDS)),
    default="",
    help="One with more tools than the usual: containers has runc and crun.",
)


@click.group("guest")
def command() -> None:
    """Guest machines: one userland, and any number of kernels to boot it with.

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
@_userland_option
@click.option("--rebuild", is_flag=True, help="Fetch again what is in the cache.")
def build(kernels: tuple[str, ...], userland: str, rebuild: bool) -> None:
    """Build the userland (once) and kernels into the cache; needs the network, but not root.

    \b
    Examples:
      cnbench guest build
      cnbench guest build --kernel bookworm --kernel sid
    """
    ensure_userland(_say, rebuild, userland)
    for name in dict.fromkeys(kernels):
        kernel = ensure_kernel(name, _say, rebuild)
        click.echo(f"{kernel.name}: Linux {kernel.release} is ready")


@command.command("run", context_settings={"ignore_unknown_options": True})
@click.option("--kernel", default="trixie", show_default=True, metavar="SUITE|FILE")
@click.option(
    "--clock",
    type=click.Choice(["wall", "instructions"]),
    default="wall",
    show_default=True,
    help="With instructions, the guest's time is what it executed.",
)
@_userland_option
@click.argument("argv", nargs=-1, type=click.UNPROCESSED, metavar="[COMMAND [ARGUMENT]...]")
def run(kernel: str, clock: ClockName, userland: str, argv: tuple[str, ...]) -> None:
    """Run COMMAND as root in a guest, and end with its exit status.

    What is piped in is its standard input; without COMMAND, a shell reads it. The guest is gone
    when the command ends, with all that it changed.

    \b
    Examples:
      cnbench guest run -- uname -r
      cnbench guest run --kernel bookworm -- \\
        sh -c 'modprobe ip_vs && ipvsadm -L -n'
      cnbench guest run < script.sh
    """
    given = "" if sys.stdin.isatty() else sys.stdin.read()
    if not argv and not given:
        raise UsageError("there is no command to run", "cnbench guest run -- uname -r")
    request = {"argv": list(argv) or ["sh"], "stdin": given}
    status = int(ExitCode.FAILED)
    with start.guest(kernel, clock, _say, userland=userland) as machine:
        for message in machine.run(remote_command.__name__, request, silence=_A_DAY):
            click.echo(message.get("stdout", ""), nl=False)
            click.echo(message.get("stderr", ""), nl=False, err=True)
            status = message.get("status", status)
    raise SystemExit(status)


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
    columns = [
        Column("kernel", tuple(kernel.name for kernel in kernels)),
        Column("release", tuple(kernel.release for kernel in kernels)),
        Column("digest", tuple(kernel.digest[:12] for kernel in kernels)),
    ]
    print_table(console(), columns)


def _say(what: str) -> None:
    click.echo(f"{what} ...", err=True)
