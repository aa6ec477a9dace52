"""Published figures on the cost of pod networks; ratios inside one source, and header sizes."""

from __future__ import annotations

from cnbench.analysis.published.figure import RATIO, Figure
from cnbench.analysis.published.ours import difference_of, ratio_apart, ratio_of, value_of

_NO_NIC = "ours crosses a veth and no network card"
_ONE_MACHINE = "ours has both nodes on one machine, which is half of theirs"
_2024 = "InfraBuilder, benchmark-k8s-cni-2024-01"
_2020 = "InfraBuilder, benchmark-k8s-cni-2020-08"
_40G = "40 Gbit/s, Linux 5.15, underlay MTU 9000, median of 3"
_10G = "10 Gbit/s, Ubuntu 18.04, standard MTU"
_MTUS = "10 Gbit/s, Ubuntu 20.04, MTU 1440 over MTU 8940"
_VXLAN, _IPIP = {"backend": "vxlan"}, {"backend": "ipip"}
_HOST_GW, _BGP, _NONE = {"backend": "host-gw"}, {"backend": "bgp"}, {"backend": "none"}
_SMALL, _LARGE = {"mtu": 1500}, {"mtu": 9000}


def _rate(who: str, gigabits: float, backend: str) -> Figure:
    rate = gigabits * 1e9 / 8
    return Figure(
        "pod-network",
        f"single TCP stream, {who}",
        _40G,
        rate,
        rate,
        "B/s",
        _2024,
        value_of("throughput", backend=backend, traffic="tcp-stream", load="iperf3", mtu=9000),
        unlike=(_NO_NIC, _ONE_MACHINE),
    )


def _header(name: str, size: int, rfc: str, backend: str) -> Figure:
    return Figure(
        "pod-network",
        f"header overhead of {name}, per packet",
        "IPv4",
        size,
        size,
        "B",
        rfc,
        # Each of these datagrams is one packet, with any backend.
        difference_of(
            "packet_size", {"backend": backend}, _HOST_GW, traffic="udp-stream", size=1392
        ),
        on_any_machine=True,
    )


PUBLISHED = (
    _rate("bare metal", 31.9, "none"),
    _rate("routed (kube-router)", 22.7, "host-gw"),
    _rate("VXLAN (flannel)", 19.8, "vxlan"),
    Figure(
        "pod-network",
        "VXLAN over routed, one TCP stream",
        f"flannel over kube-router, {_40G}",
        0.87,
        0.87,
        RATIO,
        _2024,
        ratio_of("throughput", _VXLAN, _HOST_GW, traffic="tcp-stream"),
        unlike=(_NO_NIC,),
    ),
    Figure(
        "pod-network",
        "IPIP over routed, one UDP stream",
        f"1901 over 2792 Mbit/s, {_10G}",
        0.68,
        0.68,
        RATIO,
        _2020,
        ratio_of("throughput", _IPIP, _BGP, traffic="udp-stream"),
        unlike=(_NO_NIC,),
    ),
    Figure(
        "pod-network",
        "IPIP with a small MTU over a large one, one TCP stream",
        f"Calico, 5591 over 9590 Mbit/s, {_MTUS}",
        0.58,
        0.58,
        RATIO,
        _2020,
        ratio_apart("throughput", _SMALL, _LARGE, traffic="tcp-stream", **_IPIP),
        unlike=(_NO_NIC, "their larger figure was near what the wire carries"),
    ),
    Figure(
        "pod-network",
        "CPU per byte, IPIP with a small MTU over a large one",
        f"Calico, 5.9 over 2.8 per Gbit/s, {_MTUS}",
        2.1,
        2.1,
        RATIO,
        _2020,
        ratio_apart("cpu_cost", _SMALL, _LARGE, traffic="tcp-stream", **_IPIP),
        unlike=(_NO_NIC,),
    ),
    Figure(
        "pod-network",
        "an overlay's request/response rate over bare metal's",
        "TCP",
        0.74,
        0.74,
        RATIO,
        "ONCache, NSDI 2025, arXiv 2305.05455",
        # One after the other, as many are answered in a second as the latency goes into it.
        ratio_of("latency", _NONE, _VXLAN, traffic="tcp-rr"),
        unlike=(_NO_NIC, "ours spends no time on a wire, nor on waking a second process"),
    ),
    _header("VXLAN", 50, "RFC 7348", "vxlan"),
    _header("IP in IP", 20, "RFC 2003", "ipip"),
)
