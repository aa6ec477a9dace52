"""Published figures on the cost of pod networks; ratios inside one source, and header sizes."""

from __future__ import annotations

from cnbench.report.published.figure import RATIO, Figure
from cnbench.report.published.ours import ratio_of

_NO_NIC = "ours crosses a veth and no network card"

PUBLISHED = (
    Figure(
        "pod-network",
        "VXLAN over routed, one TCP stream",
        "flannel over kube-router, 40 Gbit/s, Linux 5.15, underlay MTU 9000, median of 3",
        0.87,
        0.87,
        RATIO,
        "InfraBuilder, benchmark-k8s-cni-2024-01",
        ratio_of("throughput", {"backend": "vxlan"}, {"backend": "host-gw"}, traffic="tcp-stream"),
        unlike=(_NO_NIC,),
    ),
)
