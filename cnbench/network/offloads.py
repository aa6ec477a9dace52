"""Segmentation and receive offloads, as ``ethtool -K`` sets them.

veth hands over buffers of up to 64 KiB that were never cut into packets. Without the offloads each
packet is cut to the MTU and pays its own way through every device, as it does behind a network
card without them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from cnbench.lab.netns import NetworkNamespace
from cnbench.network import links

OFFLOADS = (
    "tcp-segmentation-offload",
    "generic-segmentation-offload",
    "generic-receive-offload",
)


@contextlib.contextmanager
def _ethtool(namespace: NetworkNamespace) -> Iterator[Any]:
    from pyroute2.ethtool.ioctl import IoctlEthtool

    with namespace.entered():
        # The socket that a request goes through decides which namespace it is for.
        ethtool = IoctlEthtool()
    try:
        yield ethtool
    finally:
        ethtool.close()


def switch_off(namespace: NetworkNamespace) -> None:
    """Switch all of them off on every device of ``namespace`` that is up and lets itself be told.

    Some (macvlan) follow the device below them: ``still_on`` says which are left.
    """
    from pyroute2.ethtool.ioctl import NotSupportedError

    with _ethtool(namespace) as ethtool:
        for name in links.names(namespace):
            ethtool.change_ifname(name)
            for offload in OFFLOADS:
                with contextlib.suppress(NotSupportedError):
                    ethtool.set_offload_flag(offload, 0)


def still_on(namespace: NetworkNamespace) -> list[str]:
    """``device: offload`` for each one that is on, on the devices of ``namespace`` that are up."""
    found = []
    with _ethtool(namespace) as ethtool:
        for name in links.names(namespace):
            ethtool.change_ifname(name)
            flags = ethtool.get_offload_flags()
            found += [f"{name}: {offload}" for offload in OFFLOADS if flags[offload]]
    return found
