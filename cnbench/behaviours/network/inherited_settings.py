"""Which of the node's settings a new network namespace begins with."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from cnbench.behaviours.behaviour import Behaviour, listed
from cnbench.lab.host import Lab

# Values that no kernel has by itself.
_CHANGED = {
    "net/ipv4/conf/all/forwarding": "1",
    "net/ipv4/conf/default/rp_filter": "2",
    "net/ipv4/conf/default/arp_ignore": "1",
    "net/ipv4/neigh/default/gc_stale_time": "77",
    "net/ipv4/neigh/default/proxy_qlen": "77",
    "net/ipv4/tcp_syn_retries": "5",
    "net/ipv4/tcp_keepalive_time": "777",
    "net/ipv4/tcp_rmem": "4096\t131072\t7777777",
    "net/ipv4/ip_local_port_range": "30000\t40000",
    "net/ipv4/ip_unprivileged_port_start": "77",
    "net/core/somaxconn": "777",
    "net/unix/max_dgram_qlen": "77",
}
_SYSCTLS = Path("/proc/sys")
_INHERIT = "net/core/devconf_inherit_init_net"
# Of devconf_inherit_init_net: as a kernel begins; none inherits.
_AS_IT_IS, _NONE = "0", "2"


@contextlib.contextmanager
def _set(values: dict[str, str]) -> Iterator[None]:
    """Have this machine's settings be ``values``, and what they were after that."""
    before = {name: (_SYSCTLS / name).read_text().strip() for name in values}
    try:
        for name, value in values.items():
            (_SYSCTLS / name).write_text(value)
        yield
    finally:
        for name, value in before.items():
            (_SYSCTLS / name).write_text(value)


def _probe(lab: Lab, inherit: str = _AS_IT_IS) -> str:
    there = {name: value for name, value in _CHANGED.items() if (_SYSCTLS / name).exists()}
    with _set({_INHERIT: inherit, **there}), lab.network_namespace("pod") as pod, pod.entered():
        found = [
            name.removeprefix("net/").replace("/", ".")
            for name, value in there.items()
            if (_SYSCTLS / name).exists() and (_SYSCTLS / name).read_text().strip() == value
        ]
    return listed(found)


BEHAVIOUR = Behaviour(
    name="network.inherited-settings",
    question="Which of the node's settings does a new pod begin with?",
    method=f"changes {len(_CHANGED)} of them on the machine, and reads them in a new namespace",
    matters="a node's tuning reaches its pods by half, and which half changes with the kernel",
    source="net/ipv4/devinet.c: devinet_init_net; net/ipv4/tcp_ipv4.c: tcp_sk_init",
    probe=_probe,
    controls=(partial(_probe, inherit=_NONE),),
    changes_machine=True,
)
