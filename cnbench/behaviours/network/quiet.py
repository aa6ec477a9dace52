"""A device that takes every packet, and where nobody answers."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from cnbench.lab.host import Lab
from cnbench.lab.netns import NetworkNamespace, address, join

DEVICE = "quiet"


@contextlib.contextmanager
def open_quiet_device(lab: Lab, namespace: NetworkNamespace, own: str = "") -> Iterator[None]:
    """One in ``namespace``, with the address ``own`` (``192.0.2.1/24``), which asks for no other's.

    Raises:
        UnsupportedError: the kernel has no veth.
    """
    with lab.network_namespace("nobody") as nobody:
        join(namespace, DEVICE, nobody, "peer")
        namespace.run(["ip", "link", "set", DEVICE, "arp", "off"])
        if own:
            address(namespace, DEVICE, own)
        yield
