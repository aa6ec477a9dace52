"""An iptables program in several, for iptables-nft, which is slow to load a large one.

It keeps all chains of a restore sorted in a list, looks for the place of a new one from its
beginning, and for the chain of a rule in one of 512 lists of them (iptables 1.8.9). Chains that a
restore does not name it leaves in the kernel. So 20,000 services take 58 s of CPU time in one
restore in kube-proxy's order, 15 s with chains in falling order, where each belongs before all
others, and 4 s in restores of 2,000 services.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cnbench.proxy.batches import batches, endpoints_of
from cnbench.proxy.iptables import program as iptables
from cnbench.proxy.model import Service
from cnbench.proxy.node import Node

_FRAME_OF_TABLES = frozenset({"*filter\n", "*nat\n", "COMMIT\n"})


def parts(services: Sequence[Service], node: Node, most: int) -> Iterator[tuple[int, str]]:
    """Write programs that, loaded into an empty namespace in turn, leave what one of all would.

    Each is for services with ``most`` endpoints together, or for one with more, and comes with the
    number of services that are done after it. Rules keep their order.
    """
    common = set(_lines(iptables.program((), node))) - _FRAME_OF_TABLES
    ending = {f"{rule}\n" for rule in iptables.node_port_rules(node)}
    large = iptables.is_large(services)
    for done, some in batches(services, most, endpoints_of):
        first, last = done == len(some), done == len(services)
        left_out = (set() if first else common - ending) | (set() if last else ending)
        text = "".join(iptables.chunks(some, node, from_empty=first, large=large))
        yield done, _last_chain_first([line for line in _lines(text) if line not in left_out])


def _last_chain_first(lines: Sequence[str]) -> str:
    """Have the nat table's chains declared in falling order."""
    nat = lines.index("*nat\n") + 1
    before, after = lines[:nat], lines[nat:]
    chains = sorted((line for line in after if line[0] == ":"), reverse=True)
    return "".join([*before, *chains, *(line for line in after if line[0] != ":")])


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)
