"""Who asks for the class of a packet's cgroup (net_cls) in a network namespace, and counts by it.

A rule of nftables, or tc's cgroup filter (tc-cgroup(8)), which hands packets to the class of the
queueing discipline that their group is called after.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from cnbench.core.errors import UnsupportedError
from cnbench.lab.netns import NetworkNamespace

CLASS = 0x100001
_WRITTEN = "10:1"  # as tc writes it
_RULES = f"""table inet cnbench {{
chain marked {{
type filter hook output priority 0
meta cgroup {CLASS} counter
}}
}}
"""
# Packets without a class go to the second band, by their priority (tc-prio(8)).
_FILTER = """qdisc add dev lo root handle 10: prio bands 3
filter add dev lo parent 10: protocol ip prio 1 handle 1: cgroup
"""


@dataclass(frozen=True)
class ClassReader:
    """One that asks for the class.

    Attributes:
        name: the tool.
        what: it, in messages.
        batch: the arguments with which the tool reads ``rules``.
        rules: what sets it up.
        packets: how many of the class it has counted in a namespace.
    """

    name: str
    what: str
    batch: tuple[str, ...]
    rules: str
    packets: Callable[[NetworkNamespace], int]

    def set_up(self, namespace: NetworkNamespace) -> None:
        """Have it count in ``namespace``.

        Raises:
            UnsupportedError: this kernel has not what it takes.
        """
        done = namespace.run([self.name, *self.batch, "-"], input=self.rules, check=False)
        if done.returncode:
            why, *_ = done.stderr.strip().splitlines()
            raise UnsupportedError(
                f"{self.what} counts no packets by class here: {why}",
                "use a kernel that can: --lab guest",
            )


def _counted_by_rule(namespace: NetworkNamespace) -> int:
    listed = namespace.run(["nft", "--json", "list", "table", "inet", "cnbench"]).stdout
    parts = json.loads(listed)["nftables"]
    expressions = [
        expression for part in parts if "rule" in part for expression in part["rule"]["expr"]
    ]
    return sum(
        int(expression["counter"]["packets"])
        for expression in expressions
        if "counter" in expression
    )


def _counted_by_band(namespace: NetworkNamespace) -> int:
    listed = namespace.run(["tc", "-statistics", "-json", "class", "show", "dev", "lo"]).stdout
    bands = {band["handle"]: band for band in json.loads(listed)}
    return int(bands[_WRITTEN]["stats"]["packets"])


READERS = {
    reader.name: reader
    for reader in (
        ClassReader("nft", "nftables", ("-f",), _RULES, _counted_by_rule),
        ClassReader("tc", "tc's cgroup filter", ("-batch",), _FILTER, _counted_by_band),
    )
}
