"""Device features, over ethtool's netlink interface (Documentation/networking/ethtool-netlink.rst).

pyroute2 speaks that interface, but its version 0.9 has no message for features.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

from pyroute2.netlink import NLM_F_ACK, NLM_F_REQUEST, genlmsg
from pyroute2.netlink.generic import GenericNetlinkSocket
from pyroute2.netlink.generic.ethtool import ethtoolbitset, ethtoolheader

from cnbench.lab.netns import NetworkNamespace

# linux/ethtool_netlink.h
_FAMILY, _VERSION = "ethtool", 1
_GET, _SET = 11, 12


class _FeaturesMessage(genlmsg):  # type: ignore[misc]  # pyroute2 has no types
    nla_map = (
        ("ETHTOOL_A_FEATURES_UNSPEC", "none"),
        ("ETHTOOL_A_FEATURES_HEADER", "ethtoolheader"),
        ("ETHTOOL_A_FEATURES_HW", "ethtoolbitset"),
        ("ETHTOOL_A_FEATURES_WANTED", "ethtoolbitset"),
        ("ETHTOOL_A_FEATURES_ACTIVE", "ethtoolbitset"),
        ("ETHTOOL_A_FEATURES_NOCHANGE", "ethtoolbitset"),
    )
    ethtoolheader = ethtoolheader
    ethtoolbitset = ethtoolbitset


class Features:
    """The features of the devices of one namespace. Use ``open_features``."""

    def __init__(self, socket: Any) -> None:
        self._socket = socket

    def active(self, device: str) -> set[str]:
        """The features that are on, by the kernel's names (``ethtool -k`` lists those too)."""
        (answer,) = self._request(_GET, device, NLM_F_REQUEST)
        bits = answer.get_attr("ETHTOOL_A_FEATURES_ACTIVE").get_attr("ETHTOOL_A_BITSET_BITS")
        return {
            bit.get_attr("ETHTOOL_A_BITSET_BIT_NAME")
            for bit in bits.get_attrs("ETHTOOL_A_BITSET_BITS_BIT")
        }

    def switch(self, device: str, wanted: Mapping[str, bool]) -> None:
        """Ask for features to be on or off; what cannot be changed stays as it is."""
        bits = [
            (
                "ETHTOOL_A_BITSET_BITS_BIT",
                {"attrs": [("ETHTOOL_A_BITSET_BIT_NAME", name), *_flag(on)]},
            )
            for name, on in wanted.items()
        ]
        bitset = {"attrs": [("ETHTOOL_A_BITSET_BITS", {"attrs": bits})]}
        self._request(
            _SET, device, NLM_F_REQUEST | NLM_F_ACK, ("ETHTOOL_A_FEATURES_WANTED", bitset)
        )

    def _request(self, command: int, device: str, flags: int, *attributes: object) -> Any:
        message = _FeaturesMessage()
        message["cmd"], message["version"] = command, _VERSION
        header = {"attrs": [("ETHTOOL_A_HEADER_DEV_NAME", device)]}
        message["attrs"] = [("ETHTOOL_A_FEATURES_HEADER", header), *attributes]
        return tuple(self._socket.nlm_request(message, msg_type=self._socket.prid, msg_flags=flags))


def _flag(on: bool) -> list[tuple[str, bool]]:
    return [("ETHTOOL_A_BITSET_BIT_VALUE", True)] if on else []


@contextlib.contextmanager
def open_features(namespace: NetworkNamespace) -> Iterator[Features]:
    """A socket inside ``namespace``, which decides whose devices are meant."""
    with namespace.entered():
        socket = GenericNetlinkSocket()
    try:
        socket.bind(_FAMILY, _FeaturesMessage)
        yield Features(socket)
    finally:
        socket.close()
