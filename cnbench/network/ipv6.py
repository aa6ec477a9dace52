"""IPv6 in a namespace, without what would come at random moments.

A device that comes up takes an address of its own making, asks whether anybody has it, asks for
routers and tells all routers which groups it listens to: each after a delay of random length
(RFC 4861, 4862 and 3810). Between samples that is noise, and on the instruction clock it takes
another number of the kernel's generator at another moment of each boot. So in a guest on that
clock IPv6 is off, but in the namespaces that ask for it, and these keep quiet.
"""

from __future__ import annotations

from pathlib import Path

from cnbench.core.errors import UnsupportedError
from cnbench.lab.netns import NetworkNamespace

_QUIET = {
    "disable_ipv6": 0,
    "addr_gen_mode": 1,  # IN6_ADDR_GEN_MODE_NONE: no link-local address of its own making
    "accept_dad": 0,
    "dad_transmits": 0,
    "accept_ra": 0,
    "autoconf": 0,
    "router_solicitations": 0,
    # Groups are told of all the same, within this many milliseconds instead of a second: these are
    # whole ticks of every kernel, which gives back no other number.
    "mldv2_unsolicited_report_interval": 20,
}


def enable_ipv6(namespace: NetworkNamespace) -> None:
    """Have ``namespace``, and each device made in it from here on, speak IPv6, and only if asked.

    Raises:
        UnsupportedError: the kernel has no IPv6.
    """
    with namespace.entered():
        if not Path("/proc/sys/net/ipv6").exists():
            raise UnsupportedError("this kernel has no IPv6", "run in the guest lab: --lab guest")
    for name, value in _QUIET.items():
        namespace.sysctl(f"net.ipv6.conf.default.{name}", value)
    namespace.sysctl("net.ipv6.conf.lo.disable_ipv6", 0)
