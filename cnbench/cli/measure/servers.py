"""Servers of Kubernetes of the user's own, for ``cnbench run``."""

from __future__ import annotations

import os
from pathlib import Path

import click

from cnbench.control_plane.binaries import OWN, VARIABLE


def _name(context: click.Context, parameter: click.Parameter, folder: Path | None) -> None:
    if folder:
        os.environ[VARIABLE] = str(folder.absolute())


servers_option = click.option(
    "--bin-dir",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    expose_value=False,
    callback=_name,
    help=f"Where etcd, kube-apiserver and the like of your own are: they are server={OWN}."
    f" As {VARIABLE}=FOLDER.",
)
