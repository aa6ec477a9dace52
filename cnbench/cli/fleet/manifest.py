"""``cnbench fleet manifest``: the same on the nodes of a Kubernetes cluster."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import click
from click.core import ParameterSource

from cnbench.cli.measure import run
from cnbench.cli.measure.asked import Asked
from cnbench.cli.measure.presets import written_out
from cnbench.core.errors import UsageError

# RFC 1123: what Kubernetes lets objects be called, as one label.
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


def _name(ctx: click.Context, param: click.Parameter, value: str) -> str:
    if value and not _LABEL.fullmatch(value):
        raise click.BadParameter("letters a-z, digits and dashes, 63 at most", ctx, param)
    return value


@click.command("manifest")
@click.option("--image", required=True, help="A container image with cnbench in its path.")
@click.option("--nodes", type=click.IntRange(min=1), required=True, help="On how many nodes.")
@click.option("--name", default="cnbench", show_default=True, callback=_name, help="The Job's.")
@click.option("--namespace", default="cnbench", show_default=True, callback=_name)
@click.option(
    "--node-label", "labels", multiple=True, metavar="KEY=VALUE", help="That a node has to have."
)
@click.option(
    "--claim",
    default="",
    callback=_name,
    help="Of a volume that many nodes may write. By default one is made.",
)
@click.option("--size", default="1Gi", show_default=True, help="Of the one that is made.")
@click.option("--storage-class", default="", help="Of the one that is made.")
@click.argument("arguments", nargs=-1, metavar="-- [RUN'S ARGUMENTS]...")
def command(
    image: str,
    nodes: int,
    name: str,
    namespace: str,
    labels: tuple[str, ...],
    claim: str,
    size: str,
    storage_class: str,
    arguments: tuple[str, ...],
) -> None:
    """Print the Kubernetes objects that have `cnbench run` measure on each of some nodes.

    A Job with one pod a node, a volume for their run files, a role for whoever starts it. Nothing
    of cnbench runs in the cluster but that. The pods are privileged, since measuring takes that.

    \b
    Examples:
      cnbench fleet manifest --image registry.example/cnbench:1 --nodes 3 \\
        -- cpu-quota --lab host
      cnbench fleet manifest --image registry.example/cnbench:1 --nodes 20 \\
        --node-label pool=workers -- --quick --lab host | kubectl apply -f -
    """
    arguments = _checked(arguments)
    import yaml

    from cnbench.cli.fleet.kubernetes import Wanted, objects

    selector = dict(_pair(label) for label in labels)
    wanted = Wanted(arguments, image, nodes, name, namespace, selector, claim, size, storage_class)
    click.echo(yaml.safe_dump_all(objects(wanted), sort_keys=False), nl=False)


def _checked(arguments: Sequence[str]) -> tuple[str, ...]:
    """``arguments`` with presets written out, which no pod has a file of.

    What `cnbench run` would refuse is refused here, and not in a pod.
    """
    plain = written_out(arguments, run.command, Path.cwd())
    context = run.command.make_context("cnbench run", list(plain))
    for name in ("output", "resume", "services_from", "kubeconfig"):
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            raise UsageError(
                f"--{name.replace('_', '-')} names a file that no pod has",
                "leave it out: a pod has what its image has, and writes a run file of its own",
            )
    typed = context.params
    run.request_of(typed["experiments"], Asked.taken_from(typed))
    return tuple(plain)


def _pair(label: str) -> tuple[str, str]:
    key, equals, value = label.partition("=")
    if not key or not equals:
        raise UsageError(f"'{label}' is no label", "write --node-label KEY=VALUE")
    return key, value
