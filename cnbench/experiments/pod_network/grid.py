"""The dimensions of pod-network, and the points of its grid that make no sense."""

from __future__ import annotations

from cnbench.core.parameter import Parameter, Params, Value
from cnbench.network.backend import all_backends, backend_called
from cnbench.probes.traffic import MESSAGES, TRAFFIC

# RFC 768 and RFC 791: 65535 bytes less both headers.
_LARGEST_DATAGRAM = 65507


def nonsense(params: Params) -> str:
    """Why the point ``params`` makes no sense, or the empty text."""
    traffic, flows = str(params["traffic"]), int(params["flows"])
    if params["load"] == "iperf3" and not traffic.endswith("stream"):
        return f"iperf3 has no {traffic}; use load=loop"
    if traffic == "tcp-crr" and flows > 1:
        return "tcp-crr has a connection for each message, so there are no flows to speak of"
    if traffic.startswith("udp") and int(params["size"]) > _LARGEST_DATAGRAM:
        return f"a datagram holds at most {_LARGEST_DATAGRAM} B"
    if params["underlay"] == "bridge" and params["hops"]:
        return "nodes with routers between them are not on one bridge"
    if params["pods"] == "routed" and backend_called(str(params["backend"])).attachment:
        return f"{params['backend']} has its own way to attach pods, or none"
    return ""


def _streams(traffic: Params) -> bool:
    return str(traffic["traffic"]).endswith("stream")


def _loads(so_far: Params) -> tuple[Value, ...]:
    return ("loop", "iperf3") if _streams(so_far) else ("loop",)


def _sizes(so_far: Params) -> tuple[Value, ...]:
    # A datagram that every backend's MTU holds, WireGuard's (1420) too; the largest write that one
    # TCP buffer holds.
    return {"tcp-stream": (65536,), "udp-stream": (1392,)}.get(str(so_far["traffic"]), (1,))


def _offloads(so_far: Params) -> tuple[Value, ...]:
    # A message that is one packet anyway has nothing to be cut.
    return ("on", "off") if so_far["traffic"] == "tcp-stream" else ("on",)


def _mtus(so_far: Params) -> tuple[Value, ...]:
    return (1500, 9000) if so_far["traffic"] == "tcp-stream" else (1500,)


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
        quick=("tcp-stream", "tcp-rr", "udp-rr", "tcp-crr"),
        full=TRAFFIC,
        choices=TRAFFIC,
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
        full=_sizes,
        unit="B",
        whole=True,
        minimum=1,
        maximum=65536,
    ),
    Parameter(
        "flows",
        "connections that take turns (loop) or stream at once (iperf3)",
        quick=(1,),
        full=(1,),
        whole=True,
        minimum=1,
        maximum=16,
    ),
    Parameter(
        "direction",
        "forward is from the first node to the second",
        quick=("forward",),
        full=("forward",),
        choices=("forward", "reverse"),
    ),
    Parameter(
        "offloads",
        "segmentation and receive offloads (TSO, GSO, GRO) of every device in the way",
        quick=_offloads,
        full=_offloads,
        choices=("on", "off"),
    ),
    Parameter(
        "hops",
        "routers between the nodes",
        quick=(0,),
        full=(0, 1),
        whole=True,
        maximum=3,
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
        full=("bridge", "routed"),
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
        full=("native",),
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
