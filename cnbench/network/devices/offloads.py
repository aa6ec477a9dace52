"""Segmentation and receive offloads: what ``ethtool -K`` calls tso, gso and gro.

veth hands over buffers of up to 64 KiB that were never cut into packets. Without the offloads each
packet is cut to the MTU and pays its own way through every device, as it does behind a network
card without them.
"""

from __future__ import annotations

from cnbench.lab.netns import NetworkNamespace
from cnbench.network.devices import links

OFFLOADS = (
    "tx-tcp-segmentation",
    "tx-tcp6-segmentation",
    "tx-tcp-ecn-segmentation",
    "tx-tcp-mangleid-segmentation",
    "tx-generic-segmentation",
    "rx-gro",
)


def switch_off(namespace: NetworkNamespace) -> None:
    """Switch all of them off on every device of ``namespace`` that is up and lets itself be told.

    Some (macvlan) follow the device below them: ``still_on`` says which are left.
    """
    from cnbench.network.devices.ethtool import open_features

    with open_features(namespace) as features:
        for name in links.names(namespace):
            features.switch(name, dict.fromkeys(OFFLOADS, False))


def still_on(namespace: NetworkNamespace) -> list[str]:
    """``device: offload`` for each one that is on, on the devices of ``namespace`` that are up."""
    from cnbench.network.devices.ethtool import open_features

    with open_features(namespace) as features:
        on = {name: features.active(name) for name in links.names(namespace)}
    return [f"{name}: {offload}" for name in on for offload in OFFLOADS if offload in on[name]]
