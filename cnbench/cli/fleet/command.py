"""``cnbench fleet``: what concerns many nodes at once."""

from __future__ import annotations

import click

from cnbench.cli.lazy import LazyGroup

_COMMANDS = {
    "run": ("fleet.run", "Measure one plan on many machines."),
    "worker": ("fleet.worker", "Have this machine measure what a scheduler hands out."),
    "node-network": ("fleet.node_network", "Measure the network between two of them."),
    "manifest": ("fleet.manifest", "Print what has Kubernetes measure on each of some nodes."),
    "report": ("fleet.report", "Say which of many nodes are odd, and write a page."),
}


@click.group("fleet", cls=LazyGroup, lazy=_COMMANDS)
def command() -> None:
    """Measure on many nodes, and look at them together.

    A run file says which node it is of: the machine's name, or CNBENCH_NODE where a container has
    a name of its own.

    \b
    Examples:
      cnbench fleet worker tcp://10.0.0.1:8786
      cnbench fleet run cpu-quota --every-node -o gathered/ \\
        --scheduler tcp://10.0.0.1:8786
      cnbench fleet report gathered/
    """
