"""The dimensions of pod-network, and the points of its grid that make no sense."""

from __future__ import annotations

from cnbench.core.parameter import Parameter, Point, Value
from cnbench.network.backend import all_backends, backend_called
from cnbench.probes.traffic import MESSAGES, TRAFFIC_KINDS

# RFC 768 and RFC 791: 65535 bytes less both headers.
_LARGEST_DATAGRAM = 65507


def nonsense(params: Point) -> str:
    """Why the point ``params`` makes no sense, or the empty text."""
    traffic, flows = params.text("traffic"), params.whole("flows")
    if params["load"] == "iperf3" and not traffic.endswith("stream"):
        return f"iperf3 has no {traffic}; use load=loop"
    if traffic == "tcp-crr" and flows > 1:
        return "tcp-crr has a connection for each message, so there are no flows to speak of"
    if traffic.startswith("udp") and params.whole("size") > _LARGEST_DATAGRAM:
        return f"a datagram holds at most {_LARGEST_DATAGRAM} B"
    if params["underlay"] == "bridge" and params["hops"]:
        return "nodes with routers between them are not on one bridge"
    if params["routing"] == "bird" and (params["backend"] != "bgp" or params["hops"]):
        return "BIRD announces routes in the nodes, for backend=bgp with hops=0"
    if params["pods"] == "routed" and backend_called(params.text("backend")).attachment:
        return f"{params['backend']} has its own way to attach pods, or none"
    return ""


def setups_of(params: Point) -> int:
    """How many set-ups a case has: one where each sample has two processes of its own."""
    return 1 if params["load"] == "iperf3" else 8


def soon_counted(params: Point) -> bool:
    """Whether the point is what backends are compared by: an exchange of single packets.

    Each set-up takes a guest seconds.
    """
    return params["traffic"] == "tcp-rr" and params["backend"] != "none"


def _streams(traffic: Point) -> bool:
    return str(traffic["traffic"]).endswith("stream")


def _loads(so_far: Point) -> tuple[Value, ...]:
    return ("loop", "iperf3") if _streams(so_far) else ("loop",)


def _sizes(so_far: Point) -> tuple[Value, ...]:
    # A datagram that every backend's MTU holds, WireGuard's (1420) too; the largest write that one
    # TCP buffer holds.
    return {"tcp-stream": (65536,), "udp-stream": (1392,)}.get(so_far.text("traffic"), (1,))


def _more_sizes(so_far: Point) -> tuple[Value, ...]:
    usual = _sizes(so_far)
    return (*usual, 1024) if so_far["load"] == "loop" else usual


def _flows(so_far: Point) -> tuple[Value, ...]:
    # Flows that take turns in one thread cost what one costs, and small writes what writing costs.
    return (1, 4, 16) if so_far["load"] == "iperf3" else (1,)


def _directions(so_far: Point) -> tuple[Value, ...]:
    # Both ways are alike but for the processors that take part, which only iperf3 has two of.
    alone = so_far["load"] == "iperf3" and so_far["flows"] == 1
    return ("forward", "reverse") if alone else ("forward",)


def _offloads(so_far: Point) -> tuple[Value, ...]:
    # A message that is one packet anyway has nothing to be cut.
    return ("on", "off") if so_far["traffic"] == "tcp-stream" else ("on",)


def _usual(so_far: Point) -> bool:
    """Whether size, flows and direction are the usual ones: others are varied one at a time."""
    size, flows, direction = (so_far[name] for name in ("size", "flows", "direction"))
    return (size, flows, direction) == (_sizes(so_far)[0], 1, "forward")


def _more_offloads(so_far: Point) -> tuple[Value, ...]:
    return _offloads(so_far) if _usual(so_far) else ("on",)


def _quick_hops(so_far: Point) -> tuple[Value, ...]:
    # Which backends cross a router is seen by any traffic.
    return (0, 1) if so_far["traffic"] == "tcp-rr" else (0,)


def _hops(so_far: Point) -> tuple[Value, ...]:
    return (0, 1) if _usual(so_far) else (0,)


def _pods(so_far: Point) -> tuple[Value, ...]:
    return ("bridge", "routed") if _usual(so_far) and not so_far["hops"] else ("bridge",)


def _mtus(so_far: Point) -> tuple[Value, ...]:
    return (1500, 9000) if _usual(so_far) and so_far["traffic"] == "tcp-stream" else (1500,)


def _pod_mtus(so_far: Point) -> tuple[Value, ...]:
    # Only where every packet is cut to it does the pods' MTU count.
    cut = so_far["offloads"] == "off" and so_far["pods"] == "bridge" and not so_far["hops"]
    return ("native", "equal") if cut else ("native",)


_BACKENDS = tuple(all_backends())
_QUICK_BACKENDS = ("host-gw", "vxlan", "ipip", "bgp", "none")

PARAMETERS = (
    Parameter(
        "backend",
        "what joins the pods of different nodes; none is node to node",
        quick=_QUICK_BACKENDS,
        full=("host-gw", *(name for name in _BACKENDS if name != "host-gw")),
        choices=_BACKENDS,
    ),
    Parameter(
        "traffic",
        "what is sent: streams go one way, rr is answered, crr has a connection for each",
        quick=("tcp-stream", "tcp-rr"),
        full=TRAFFIC_KINDS,
        choices=TRAFFIC_KINDS,
    ),
    Parameter(
        "load",
        "what sends it: a closed loop in one thread, or iperf3",
        quick=("loop",),
        full=_loads,
        choices=("loop", "iperf3"),
    ),
    Parameter(
        "size",
        "bytes of a message",
        quick=_sizes,
        full=_more_sizes,
        unit="B",
        whole=True,
        minimum=1,
        maximum=65536,
    ),
    Parameter(
        "flows",
        "connections that take turns (loop) or stream at once (iperf3)",
        quick=(1,),
        full=_flows,
        whole=True,
        minimum=1,
        maximum=16,
    ),
    Parameter(
        "direction",
        "forward is from the first node to the second",
        quick=("forward",),
        full=_directions,
        choices=("forward", "reverse"),
    ),
    Parameter(
        "offloads",
        "segmentation and receive offloads (TSO, GSO, GRO) of every device in the way",
        quick=("on",),
        full=_more_offloads,
        choices=("on", "off"),
    ),
    Parameter(
        "hops",
        "routers between the nodes",
        quick=_quick_hops,
        full=_hops,
        whole=True,
        maximum=3,
    ),
    Parameter(
        "routing",
        "who installs bgp's routes: the set-up, or BIRD in the nodes as Calico has it",
        quick=("static",),
        full=("static",),
        choices=("static", "bird"),
    ),
    Parameter(
        "underlay",
        "what joins nodes without routers",
        quick=("veth",),
        full=("veth",),
        choices=("veth", "bridge"),
    ),
    Parameter(
        "pods",
        "how pods are attached: to cni0 as by flannel, or by a route as by Calico",
        quick=("bridge",),
        full=_pods,
        choices=("bridge", "routed"),
    ),
    Parameter(
        "mtu",
        "of the underlay, in bytes without the Ethernet header",
        quick=(1500,),
        full=_mtus,
        unit="B",
        whole=True,
        minimum=576,
        maximum=9000,
    ),
    Parameter(
        "pod_mtu",
        "of the pods: the underlay's less the backend's overhead, or equal for all backends",
        quick=("native",),
        full=_pod_mtus,
        choices=("native", "equal"),
    ),
    Parameter(
        "rate",
        "limit of what a node sends, Ethernet headers counted (tbf); 0 is none",
        quick=(0,),
        full=(0,),
        unit="B/s",
    ),
    Parameter(
        "delay",
        "of each frame that a node sends (netem)",
        quick=(0,),
        full=(0,),
        unit="s",
        maximum=10,
    ),
    MESSAGES,
)
