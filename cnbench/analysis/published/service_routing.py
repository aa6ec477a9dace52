"""Published figures on what Services cost: a first packet, a rule, and programming them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cnbench.analysis.chapters import Chapter
from cnbench.analysis.curves.service_growth import costs_of
from cnbench.analysis.curves.service_routing import lines_of, settings_of
from cnbench.analysis.published.figure import Figure, Ours
from cnbench.analysis.published.ours import has, setting, value_of
from cnbench.core.parameter import Value

_BLOG = "kubernetes.io blog, 2025-02-28, NFTables mode for kube-proxy"
_OWN_KUBE_PROXY = "Kubernetes 1.20.2's kube-proxy and iptables-restore, 2 shared CPUs"
_NO_NIC = "ours crosses a veth and no network card"
_MICROSECOND = 1e-6
_RULES_ONE_BY_ONE, _SECONDS_ONE_BY_ONE = 40_000, 11 * 60


def _per_rule(chapter: Chapter) -> Sequence[Ours]:
    """What one more service, which is one more rule to pass, adds in iptables mode."""
    return list(_slopes(chapter))


def _slopes(chapter: Chapter) -> Iterator[Ours]:
    for title, measured in settings_of(chapter):
        for cost in costs_of(lines_of(measured)):
            if (cost.line.mode, cost.line.position) == ("iptables", "last"):
                _, entry, row = cost.line.points[-1]
                yield Ours(cost.per_service, row.unit, entry.origin, title)


def _append_per_rule(chapter: Chapter) -> Sequence[Ours]:
    """What one of the most rules that were added one by one took."""
    fixed: dict[str, Value] = {"mode": "iptables", "services": 1000}
    return [
        Ours(
            row.interval.map(lambda seconds: seconds / 1000),
            row.unit,
            entry.origin,
            setting(chapter, entry, fixed),
        )
        for entry in chapter.ok
        if has(entry, fixed) and (row := entry.row("append")) and row.interval
    ]


def _first_packet(services: int, percentile: str, microseconds: float) -> Figure:
    metric = {"p50": "connect", "p99": "connect_p99"}[percentile]
    return Figure(
        "service-routing",
        f"first packet in iptables mode, {percentile}",
        f"{services:,} services",
        microseconds * _MICROSECOND,
        microseconds * _MICROSECOND,
        "s",
        _BLOG,
        value_of(metric, mode="iptables", services=services, position="random", protocol="tcp"),
        unlike=(_NO_NIC,),
    )


def _programming(
    what: str, metric: str, low: float, high: float, source: str, **params: Value
) -> Figure:
    return Figure(
        "service-routing",
        what,
        f"{params['mode']}, {params['services']:,} services x 2 endpoints",
        low,
        high,
        "s",
        source,
        value_of(metric, endpoints=2, **params),
    )


PUBLISHED = (
    _first_packet(5000, "p50", 49),
    _first_packet(5000, "p99", 154),
    _first_packet(10_000, "p50", 63),
    _first_packet(10_000, "p99", 259),
    _first_packet(30_000, "p50", 274),
    _first_packet(30_000, "p99", 716),
    Figure(
        "service-routing",
        "cost of one more rule in iptables mode",
        "from the p50 at 5,000, 10,000 and 30,000 services",
        10e-9,
        28e-9,
        "s",
        _BLOG,
        _per_rule,
        unlike=(
            "the packets there went to services at random, so that half of the rules were passed",
        ),
    ),
    Figure(
        "service-routing",
        "a rule added by an iptables call of its own",
        f"{_RULES_ONE_BY_ONE:,} rules in {_SECONDS_ONE_BY_ONE // 60} min, 5,000 services",
        _SECONDS_ONE_BY_ONE / _RULES_ONE_BY_ONE,
        _SECONDS_ONE_BY_ONE / _RULES_ONE_BY_ONE,
        "s",
        "Huawei, kubernetes/community#692",
        _append_per_rule,
        unlike=("40,000 rules there, 1,000 here, and each call costs more the more there are",),
    ),
    _programming(
        "one service added, partial sync",
        "update",
        0.141,
        0.141,
        "kubernetes/kubernetes#126013",
        mode="nftables",
        services=10_000,
    ),
    _programming(
        "first full sync", "sync", 0.15, 0.15, _OWN_KUBE_PROXY, mode="iptables", services=1000
    ),
    _programming(
        "first full sync", "sync", 0.8, 1.1, _OWN_KUBE_PROXY, mode="iptables", services=5000
    ),
    _programming(
        "first full sync", "sync", 0.5, 0.5, _OWN_KUBE_PROXY, mode="iptables-nft", services=1000
    ),
    _programming(
        "first full sync", "sync", 13.0, 13.0, _OWN_KUBE_PROXY, mode="iptables-nft", services=5000
    ),
    _programming(
        "the restore itself", "tool", 0.41, 0.63, _OWN_KUBE_PROXY, mode="iptables", services=5000
    ),
    _programming(
        "the restore itself",
        "tool",
        12.7,
        15.2,
        _OWN_KUBE_PROXY,
        mode="iptables-nft",
        services=5000,
    ),
    _programming(
        "one service added", "update", 0.29, 0.29, _OWN_KUBE_PROXY, mode="iptables", services=1000
    ),
    _programming(
        "one service added", "update", 1.5, 1.5, _OWN_KUBE_PROXY, mode="iptables", services=5000
    ),
    _programming(
        "one service added",
        "update",
        13.0,
        13.0,
        _OWN_KUBE_PROXY,
        mode="iptables-nft",
        services=5000,
    ),
)
