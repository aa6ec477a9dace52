"""What pod-network answers."""

from __future__ import annotations

from cnbench.analysis.answers.answer import Answer
from cnbench.analysis.answers.cases import Cases
from cnbench.analysis.answers.criteria import at_least, equal, fails, less, works
from cnbench.analysis.answers.figures import cheapest, outcome, ratio, shown, value

_BACKENDS = {
    "host-gw": {"backend": "host-gw"},
    "BGP": {"backend": "bgp"},
    "IPIP": {"backend": "ipip"},
    "VXLAN": {"backend": "vxlan"},
}
# Answered one by one: what a packet costs shows most where each carries little.
_EXCHANGE = Cases(_BACKENDS, traffic="tcp-rr", hops=0, load="loop")
_REPEAT = "run pod-network -p backend=host-gw,bgp,ipip,vxlan -p traffic=tcp-rr -p hops=0"
_DEARER = 1.005
_ALIKE = 0.02
_ACROSS = Cases(
    {
        **{name: {**backend, "hops": 1} for name, backend in _BACKENDS.items()},
        "host-gw on one network": {"backend": "host-gw", "hops": 0},
    },
    traffic="tcp-rr",
    load="loop",
)
_ACROSS_REPEAT = "run pod-network -p backend=host-gw,bgp,ipip,vxlan -p traffic=tcp-rr -p hops=0,1"

ANSWERS = (
    Answer(
        experiment="pod-network",
        question="A request and its answer between pods of two nodes, one byte each",
        cases=_EXCHANGE,
        shows=(value("latency"),),
        remark=cheapest("latency"),
        statement="VXLAN and IPIP lose to encapsulation",
        tests=(
            at_least(ratio("latency", "VXLAN", "host-gw"), _DEARER, "VXLAN", "host-gw"),
            at_least(ratio("latency", "IPIP", "host-gw"), _DEARER, "IPIP", "host-gw"),
        ),
        repeat=_REPEAT,
        rank=1,
    ),
    Answer(
        experiment="pod-network",
        question="What do the tunnels add to it?",
        cases=_EXCHANGE,
        shows=(shown(ratio("latency", "IPIP", "host-gw"), ratio("latency", "VXLAN", "host-gw")),),
        statement="IPIP costs less than VXLAN",
        tests=(less("latency", "IPIP", "VXLAN"),),
        repeat=_REPEAT,
        rank=2,
    ),
    Answer(
        experiment="pod-network",
        question="Is host-gw's traffic as cheap as what routing by BGP gives?",
        cases=_EXCHANGE,
        shows=(shown(ratio("latency", "host-gw", "BGP")),),
        statement="host-gw costs no more than routing",
        tests=(equal("latency", "host-gw", "BGP", _ALIKE),),
        repeat=_REPEAT,
    ),
    Answer(
        experiment="pod-network",
        question="With a router between the nodes",
        cases=_ACROSS,
        shows=(outcome(*_BACKENDS),),
        statement="host-gw fails across a router where VXLAN and IPIP work",
        tests=(fails("host-gw", "host-gw on one network"), works("VXLAN"), works("IPIP")),
        repeat=_ACROSS_REPEAT,
        rank=3,
    ),
    Answer(
        experiment="pod-network",
        question="And BGP there?",
        cases=_ACROSS,
        shows=(outcome("BGP"),),
        statement="BGP fails across a router, too",
        tests=(fails("BGP", "VXLAN"),),
        repeat=_ACROSS_REPEAT,
    ),
)
