"""What service-routing answers."""

from __future__ import annotations

import math

from cnbench.analysis.answers.answer import Answer
from cnbench.analysis.answers.cases import Cases, Picked
from cnbench.analysis.answers.criteria import at_least, at_most, less
from cnbench.analysis.answers.figures import cheapest, over_other, ratio, shown, value
from cnbench.analysis.curves.service_growth import crossing_of
from cnbench.analysis.curves.service_routing import lines_of
from cnbench.core.errors import CnbenchError
from cnbench.core.parameter import Params

_MANY = 1000
_MODES = {name: {"mode": name.lower()} for name in ("iptables", "nftables", "IPVS")}
# A connection to one of many, and to the only one there is.
_AMONG_MANY: Params = {"measure": "connect", "services": _MANY, "position": "last"}
_ALONE: Params = {"measure": "connect", "services": 1, "position": "first"}
_ONE, _N = "one service", "1,000 services"
_FIRST, _LAST = "the first service", "the last"
_GROWS, _STAYS = 1.1, 1.05
_NO_DEARER = 1.02
_CONNECT = "run service-routing -p mode=iptables,nftables,ipvs -p services=1,100,1000"


def _crossing(picked: Picked) -> str:
    """What is cheapest, and from how many services on iptables costs more than IPVS."""
    return "; ".join(filter(None, (cheapest("connect", *_MODES)(picked), _overtakes(picked))))


def _overtakes(picked: Picked) -> str:
    lines = {line.mode: line for line in lines_of(picked.alike("mode", "services", "position"))
             if line.position == "last"}  # fmt: skip
    try:
        found = crossing_of(lines["iptables"], lines["ipvs"])
    except (KeyError, CnbenchError):  # a mode is missing, or sizes for a line
        return ""
    if found is None or not found.bounded or found.high == math.inf:
        return ""
    low, high = (f"{end:,.0f}" for end in (found.low, found.high))
    return f"iptables overtakes IPVS at {found.estimate:,.0f} services [{low} – {high}]"


def _growth(mode: str) -> Cases:
    return Cases({_N: _AMONG_MANY, _ONE: _ALONE}, mode=mode, endpoints=1, protocol="tcp")


def _grows(mode: str, name: str) -> Answer:
    figure = ratio("connect", _N, _ONE)
    grows = mode == "iptables"
    return Answer(
        experiment="service-routing",
        question=f"A first packet with {name}: one service, and 1,000 of them",
        cases=_growth(mode),
        shows=(value("connect", _ONE, _N), shown(figure)),
        statement=(
            "The cost of iptables grows with the services"
            if grows
            else f"The cost of {name} does not grow with the services"
        ),
        tests=(at_least(figure, _GROWS, _N, _ONE) if grows else at_most(figure, _STAYS, _N, _ONE),),
        repeat=f"run service-routing -p mode={mode} -p services=1,1000",
    )


ANSWERS = (
    Answer(
        experiment="service-routing",
        question="A first packet to the last of 1,000 services",
        cases=Cases(_MODES, endpoints=1, protocol="tcp", **_AMONG_MANY),
        shows=(value("connect"),),
        remark=_crossing,
        statement="IPVS is the cheapest of kube-proxy's modes at 1,000 services",
        tests=(less("connect", "IPVS", "iptables"), less("connect", "IPVS", "nftables")),
        repeat=_CONNECT,
        rank=1,
    ),
    _grows("iptables", "iptables"),
    _grows("nftables", "nftables"),
    _grows("ipvs", "IPVS"),
    Answer(
        experiment="service-routing",
        question="A round trip over an established connection, iptables, 1,000 services",
        cases=Cases(
            {
                _FIRST: {"position": "first"},
                _LAST: {"position": "last"},
                "no rules at all": {"position": "bare"},
            },
            mode="iptables",
            measure="rtt",
            services=_MANY,
        ),
        shows=(value("rtt"), shown(ratio("rtt", _LAST, _FIRST))),
        statement="Only a connection's first packet pays for the rules before its service's",
        tests=(at_most(ratio("rtt", _LAST, _FIRST), _NO_DEARER, _LAST, _FIRST),),
        repeat="run service-routing -p mode=iptables -p measure=rtt -p services=1000",
        rank=2,
    ),
    Answer(
        experiment="service-routing",
        question="One more service among 1,000, iptables",
        cases=Cases(
            {"all": {"measure": "sync"}, "one more": {"measure": "update"}},
            mode="iptables",
            services=_MANY,
        ),
        shows=(
            value("sync", "all", named="all of them"),
            value("update", "one more", named="one more"),
            shown(over_other("update", "one more", "sync", "all")),
        ),
        statement="One changed service costs as much as all, with iptables",
        tests=(at_least(over_other("update", "one more", "sync", "all"), 0.9, "one more", "all"),),
        repeat="run service-routing -p mode=iptables -p measure=sync,update -p services=1000",
        rank=3,
    ),
)
