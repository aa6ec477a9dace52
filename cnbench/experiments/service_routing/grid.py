"""The dimensions of service-routing, and the points of its grid that make no sense."""

from __future__ import annotations

from cnbench.core.parameter import Parameter, Point, Value
from cnbench.experiments.service_routing.append import FRONT_ENDS, MOST_RULES
from cnbench.experiments.service_routing.halves import ANY, DUAL, FAMILIES, MADE_UP
from cnbench.experiments.service_routing.position import (
    BARE,
    CHOSEN,
    NONE,
    POSITIONS,
    POSITIONS_OF_CHOSEN,
)
from cnbench.network.own_service_path import BRIDGES
from cnbench.probes.traffic import MESSAGES
from cnbench.proxy import FIRST_POD, MODES, POD_NETWORK, SCHEDULERS

DATA_PATH = ("connect", "rtt", "throughput")
_ONE_CONNECTION = ("rtt", "throughput")
# Those that know of both IP families, and of services that are not made up.
_OF_ANY_CLUSTER = ("connect", "sync", "update")
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
    if refused := _of_another_cluster(params):
        return refused
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
    among_all = params["position"] in ("last", "random", CHOSEN)
    few = params.whole("services") <= _SOON_SERVICES
    return params["measure"] == "connect" and (alone or (among_all and few))


def _quick_measures(so_far: Point) -> tuple[str, ...]:
    # What the others cost is told by one mode: the first that every node has.
    return ("connect", "rtt", "sync", "update") if so_far["mode"] == "iptables" else ("connect",)


def _quick_positions(so_far: Point) -> tuple[str, ...]:
    if so_far["measure"] == "connect" and so_far["service"] != ANY:
        return POSITIONS_OF_CHOSEN
    # The random one stands for all services, and the last for the worst.
    of_connections = {
        "connect": ("first", "last", "random", NONE, BARE),
        "rtt": ("first", "last", BARE),
    }
    return of_connections.get(so_far.text("measure"), ("first",))


def _of_another_cluster(params: Point) -> str:
    """Why a point for IPv6, or for the user's own services, makes no sense."""
    measure, service = params["measure"], params["service"]
    if params["family"] != FAMILIES[0] and measure not in _OF_ANY_CLUSTER:
        return f"{measure} is measured over IPv4; leave family at `{FAMILIES[0]}`"
    if params["family"] == DUAL and params.whole("probes") < len(FAMILIES) - 1:
        return "each family needs a first packet of its own; give probes=2 or more"
    if params["cluster"] == MADE_UP:
        if service != ANY or params["position"] == CHOSEN:
            return "made-up services are addressed by their position, not by name"
    elif measure not in _OF_ANY_CLUSTER:
        return f"of your own services {', '.join(_OF_ANY_CLUSTER)} are measured, not {measure}"
    elif params["affinity"] != "none":
        return "your own services say themselves what affinity they have; leave it at `none`"
    elif measure == "connect" and (params["position"] == CHOSEN) != (
        service != ANY and params["position"] not in (NONE, BARE)
    ):
        return f"one service is asked for by name: give position={','.join(POSITIONS_OF_CHOSEN)}"
    return ""


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
        return POSITIONS if so_far["service"] == ANY else POSITIONS_OF_CHOSEN
    return ("first", "last", NONE, BARE) if so_far["measure"] in _ONE_CONNECTION else ("first",)


def _families(so_far: Point) -> tuple[str, ...]:
    # What the other family costs is asked at one number of services.
    made_up_thousand = so_far["cluster"] == MADE_UP and so_far["services"] == 1000
    return FAMILIES if so_far["measure"] in _OF_ANY_CLUSTER and made_up_thousand else FAMILIES[:1]


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
        "cluster",
        "whose services: made-up ones, or your own (--services-from FILE)",
        quick=(MADE_UP,),
        full=(MADE_UP,),
        text=True,
    ),
    Parameter(
        "service",
        "of your own services the one that is addressed, as namespace/name[:port] (--service)",
        quick=(ANY,),
        full=(ANY,),
        text=True,
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
        "family",
        "IP family; dual is a node with the services of both, and first packets in turn",
        quick=FAMILIES[:1],
        full=_families,
        choices=FAMILIES,
    ),
    Parameter(
        "position",
        "which service is addressed; none is an endpoint itself, past all rules, bare the same over"
        " a node that has no rules",
        quick=_quick_positions,
        full=_positions,
        choices=(*POSITIONS, CHOSEN),
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
