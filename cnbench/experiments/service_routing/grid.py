"""The dimensions of service-routing, and the points of its grid that make no sense."""

from __future__ import annotations

from cnbench.core.parameter import Parameter, Point, Value
from cnbench.experiments.service_routing.append import FRONT_ENDS, MOST_RULES
from cnbench.experiments.service_routing.position import BARE, NONE, POSITIONS
from cnbench.network.own_service_path import BRIDGES
from cnbench.probes.traffic import MESSAGES
from cnbench.proxy import FIRST_POD, MODES, POD_NETWORK, SCHEDULERS

DATA_PATH = ("connect", "rtt", "throughput")
_ONE_CONNECTION = ("rtt", "throughput")
MEASURES = (*DATA_PATH, "hairpin", "sync", "update", "append")
_SIZES = (1, 10, 100, 1000, 5000, 10_000, 20_000, 50_000)
# What these modes need for a whole program grows with more than the square of the services; more
# of them take from minutes to most of an hour a sample, which one should have asked for.
_SLOW_TO_SYNC = ("nftables", "iptables-nft")
_LARGEST_SLOW_SYNC = 5000
_SOON_SERVICES = 1000


def nonsense(params: Point) -> str:
    """Why the point ``params`` makes no sense, or the empty text."""
    measure, mode, position = params.text("measure"), params.text("mode"), params.text("position")
    services, endpoints = params.whole("services"), params.whole("endpoints")
    if measure not in DATA_PATH and position != "first":
        return f"a {measure} has no position; leave it at `first`"
    if services == 1 and position in ("middle", "last", "random"):
        return f"with one service, the {position} is the first"
    if measure in _ONE_CONNECTION:
        if position == "random":
            return f"{measure} is of one connection, which has one position"
        if params["protocol"] == "udp" and endpoints > 1 and position not in (NONE, BARE):
            return "a UDP server answers from one address; leave endpoints at 1"
    if measure == "hairpin" and params["protocol"] != "tcp":
        return "hairpin is measured by connecting; leave protocol at tcp"
    if measure != "hairpin" and params["bridge"] != "hairpin":
        return f"{measure} crosses no bridge; leave bridge at `hairpin`"
    if measure == "append" and (mode not in FRONT_ENDS or services > MOST_RULES):
        return f"rules are added one by one by {' and '.join(FRONT_ENDS)}, {MOST_RULES} at most"
    if mode != "ipvs" and params["scheduler"] != SCHEDULERS[0]:
        return f"{mode} has no scheduler; leave it at `{SCHEDULERS[0]}`"
    if services * endpoints > POD_NETWORK.num_addresses - FIRST_POD:
        return f"{services} services of {endpoints} endpoints do not fit in {POD_NETWORK}"
    return ""


def soon_counted(params: Point) -> bool:
    """Whether the point is what modes are compared by: a first packet to one of all services.

    Programming many thousands takes a guest minutes.
    """
    alone = params["services"] == 1 and params["position"] == "first"
    among_all = params["position"] == "random" and params.whole("services") <= _SOON_SERVICES
    return params["measure"] == "connect" and (alone or among_all)


def _quick_measures(so_far: Point) -> tuple[str, ...]:
    # What the others cost is told by one mode: the first that every node has.
    return ("connect", "rtt", "sync", "update") if so_far["mode"] == "iptables" else ("connect",)


def _quick_positions(so_far: Point) -> tuple[str, ...]:
    # The random one stands for all services, and the last for the worst.
    of_connections = {"connect": ("first", "last", "random", NONE, BARE), "rtt": ("last", BARE)}
    return of_connections.get(so_far.text("measure"), ("first",))


def _quick_services(so_far: Point) -> tuple[int, ...]:
    # A sync of 10,000 services takes seconds in some modes, and a block has several of them.
    return (1, 100, 1000) if so_far["measure"] == "connect" else (1000,)


def _full_services(so_far: Point) -> tuple[int, ...]:
    measure, mode = so_far["measure"], so_far["mode"]
    if measure == "append":
        return (1, 100, 1000) if mode in FRONT_ENDS else ()
    if measure in ("hairpin", *_ONE_CONNECTION):
        return (1, 1000, 10_000)
    if measure == "sync" and mode in _SLOW_TO_SYNC:
        return tuple(size for size in _SIZES if size <= _LARGEST_SLOW_SYNC)
    return _SIZES


def _full_endpoints(so_far: Point) -> tuple[int, ...]:
    # How cost grows with endpoints is asked at one number of services.
    at_that_number = so_far["measure"] == "connect" and so_far["services"] == 100
    return (1, 10, 100, 1000) if at_that_number else (1,)


def _positions(so_far: Point) -> tuple[str, ...]:
    if so_far["measure"] == "connect":
        return POSITIONS
    return ("first", "last", NONE, BARE) if so_far["measure"] in _ONE_CONNECTION else ("first",)


def _bridges(so_far: Point) -> tuple[str, ...]:
    return tuple(BRIDGES) if so_far["measure"] == "hairpin" else ("hairpin",)


def _protocols(so_far: Point) -> tuple[Value, ...]:
    return ("tcp", "udp") if so_far["measure"] == "connect" else ("tcp",)


PARAMETERS = (
    Parameter(
        "mode",
        "kube-proxy's mode",
        quick=("iptables", "nftables", "ipvs"),
        full=MODES,
        choices=MODES,
    ),
    Parameter(
        "measure",
        "the data path: connect (a first packet), rtt and throughput (established), hairpin (a "
        "backend's own service); the control path: sync, update, append (rules one by one)",
        quick=_quick_measures,
        full=MEASURES,
        choices=MEASURES,
    ),
    Parameter(
        "services",
        "services in the cluster (append: rules)",
        quick=_quick_services,
        full=_full_services,
        whole=True,
        minimum=1,
        maximum=100_000,
    ),
    Parameter(
        "endpoints",
        "endpoints of each service",
        quick=(1,),
        full=_full_endpoints,
        whole=True,
        minimum=1,
        maximum=1000,
    ),
    Parameter(
        "position",
        "which service is addressed; none is an endpoint itself, past all rules, bare the same over"
        " a node that has no rules",
        quick=_quick_positions,
        full=_positions,
        choices=POSITIONS,
    ),
    Parameter(
        "protocol",
        "the services' protocol",
        quick=("tcp",),
        full=_protocols,
        choices=("tcp", "udp"),
    ),
    Parameter(
        "affinity",
        "session affinity; client-ip is Kubernetes' ClientIP with its three hours",
        quick=("none",),
        full=("none",),
        choices=("none", "client-ip"),
    ),
    Parameter(
        "scheduler",
        "how IPVS spreads connections over a service's endpoints",
        quick=SCHEDULERS[:1],
        full=SCHEDULERS[:1],
        choices=SCHEDULERS,
    ),
    Parameter(
        "bridge",
        "the pod's bridge, for hairpin: its port in hairpin mode, plain, or plain and bridged "
        "packets kept from iptables (routed)",
        quick=_bridges,
        full=_bridges,
        choices=tuple(BRIDGES),
    ),
    Parameter(
        "probes",
        "first packets in one sample",
        quick=(200,),
        full=(500,),
        whole=True,
        minimum=1,
        maximum=10_000,
    ),
    MESSAGES,
)
