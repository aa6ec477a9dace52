"""Servers of Kubernetes of the user's own, for ``cnbench run``."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from cnbench.control_plane.api.pace import Pace
from cnbench.control_plane.binaries import OWN, VARIABLE
from cnbench.control_plane.given import cluster as given
from cnbench.control_plane.given.kubeconfig import Given, read
from cnbench.core.errors import UsageError


def _name(context: click.Context, parameter: click.Parameter, folder: Path | None) -> None:
    if folder:
        os.environ[VARIABLE] = str(folder.absolute())


def _name_cluster(context: click.Context, parameter: click.Parameter, file: Path | None) -> None:
    """Name the cluster of a kubeconfig, with the bounds that were read before."""
    bounds = [context.params.pop(name, None) for name in ("objects_at_most", "requests_at_most")]
    given.forget()
    if file is None:
        if any(bounds):
            raise UsageError("these bounds are of a cluster", f"name one: {given.OPTION} FILE")
        return
    if None in bounds:
        raise UsageError(
            "a cluster of yours is measured within bounds alone",
            f"say how many objects and how many requests a second it may take: "
            f"{given.OBJECTS} 2000 {given.REQUESTS} 50",
        )
    objects, rate = bounds
    given.name(given.GivenCluster(_read(file), objects, Pace(rate)))


def _read(file: Path) -> Given:
    import yaml

    try:
        content = yaml.safe_load(file.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(f"{file} is no kubeconfig: {error}", "name another file") from error
    if not isinstance(content, dict):
        raise UsageError(f"{file} is no kubeconfig", "name another file")
    return read(content, file.absolute().parent)


def cluster_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options by which a cluster of the user's is named, with the bounds that are kept."""
    options = [
        click.option(
            given.OBJECTS, type=click.IntRange(min=1), metavar="N", is_eager=True,
            help="How many objects there may be of ours in that cluster at a time.",
        ),
        click.option(
            given.REQUESTS, type=click.FloatRange(min=0, min_open=True), metavar="N",
            is_eager=True, help="How many requests a second it may be asked.",
        ),
        click.option(
            given.OPTION, type=click.Path(path_type=Path), metavar="FILE", expose_value=False,
            callback=_name_cluster,
            help=f"A cluster of your own: it is server={given.CLUSTER}. Its objects are in a"
            " namespace of their own, which is removed in the end.",
        ),
    ]  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


servers_option = click.option(
    "--bin-dir",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    expose_value=False,
    callback=_name,
    help=f"Where etcd, kube-apiserver and the like of your own are: they are server={OWN}."
    f" As {VARIABLE}=FOLDER.",
)
