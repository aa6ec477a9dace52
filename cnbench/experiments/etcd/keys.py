"""The keys of the store, and what everybody proves of it."""

from __future__ import annotations

from cnbench.control_plane.servers.etcd import MEMORY, Etcd
from cnbench.core.proof import Check, equal

FIRST, END = "/cnbench/keys/", "/cnbench/keys0"
LEASED_FIRST, LEASED_END = "/cnbench/leased/", "/cnbench/leased0"


def key_of(number: int) -> str:
    """The key of that number; they are in the order of their numbers."""
    return f"{FIRST}{number:07}"


def kept(etcd: Etcd, store: str) -> Check:
    """That the state is where the case says."""
    return equal("the state is in memory", store == MEMORY, etcd.in_memory())
