"""Having two members of a fleet measure the network between them."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

from distributed import Client, Future, as_completed

from cnbench.core.codec import from_plain
from cnbench.core.errors import CnbenchError, UsageError
from cnbench.core.nearest import choose_from
from cnbench.fleet import errands
from cnbench.fleet.members import Member, nodes
from cnbench.fleet.node_network.accounts import Account, NodeEnd, Order
from cnbench.fleet.offers import MACHINE, Resources, of_node


def ends_of(
    client: Client, members: Sequence[Member], named: tuple[tuple[str, str], tuple[str, str]]
) -> tuple[NodeEnd, NodeEnd]:
    """Both ends, of which the node and the interface are ``named``.

    Raises:
        UsageError: one is no member, or both are the same.
        UnsupportedError: one has no such interface, no address there, or no iperf3.
    """
    known = nodes(members)
    for node, _ in named:
        if node not in known:
            raise UsageError(f"no member is called '{node}'", choose_from(node, known))
    asked = [
        _submit(client, "describe", {"interface": interface}, {of_node(node): 1.0})
        for node, interface in named
    ]
    near, far = (from_plain(NodeEnd, found) for found in _all(client, asked))
    if near.address == far.address:
        raise UsageError(
            f"both nodes have the address {near.address} there", "name two nodes of one network"
        )
    return near, far


def accounts_of(client: Client, order: Order) -> tuple[Account, Account]:
    """What the client and the server of ``order`` tell once it is carried out.

    Each takes its whole machine. Where one fails, the other is told to stop.

    Raises:
        CnbenchError: they did not meet, or what was sent was lost.
        KeyboardInterrupt: the user stopped it; nobody goes on sending.
    """
    asked = [
        _submit(client, verb, errands.plain(order), {of_node(end.node): 1.0, MACHINE: 1.0})
        for verb, end in (("send", order.client), ("receive", order.server))
    ]
    sent, received = (from_plain(Account, found) for found in _all(client, asked))
    return sent, received


def _submit(client: Client, verb: str, what: dict[str, Any], needs: Resources) -> Future[Any]:
    return client.submit(errands.node_network, verb, what, resources=needs, pure=False)


def _all(client: Client, asked: list[Future[Any]]) -> list[dict[str, Any]]:
    """What all give, or the first error; whatever is still going on then is stopped."""
    try:
        for done in as_completed(asked):
            done.result()
        return [future.result() for future in asked]
    except CnbenchError:
        raise
    except Exception as error:  # Dask's own: a worker or the scheduler has gone
        raise CnbenchError(f"a node has ended before it was done: {error}") from error
    finally:
        with contextlib.suppress(Exception):
            client.cancel(asked, force=True)
