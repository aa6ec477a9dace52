"""service-routing: what does a Service cost, as the rules grow?

``measure=connect`` is the data path. A connection's first packet alone walks the nat table;
conntrack remembers where the others go. So what is timed is the set-up of TCP connections through a
service's cluster address, every one from a source of its own. Only what is asked for differs: which
of the services in the table is addressed, or (``position=none``, the control) the endpoint itself,
which passes all rules and matches none.

``measure=sync`` and ``measure=update`` are the control path: programming all services on an empty
node, and changing one among those that are there.
"""

from __future__ import annotations

from contextlib import AbstractContextManager

from cnbench.core.experiment import Experiment, OpenSubject, Subject
from cnbench.core.parameter import Parameter, Params
from cnbench.experiments.service_routing.cluster import POSITIONS, require_mode
from cnbench.experiments.service_routing.connect import CONNECT, open_connect
from cnbench.experiments.service_routing.programming import (
    DELETE,
    ENDPOINT,
    MEMORY,
    NOTHING,
    SYNC,
    UPDATE,
    open_sync,
    open_update,
)
from cnbench.lab.host import Lab
from cnbench.proxy import MODES

_SUBJECTS: dict[str, OpenSubject] = {
    "connect": open_connect,
    "sync": open_sync,
    "update": open_update,
}


def _open_subject(params: Params, lab: Lab) -> AbstractContextManager[Subject]:
    return _SUBJECTS[str(params["measure"])](params, lab)


def _quick_services(so_far: Params) -> tuple[int, ...]:
    # A sync of 5,000 services takes seconds in some modes, and a block has three of them.
    return (1, 100, 1000, 5000) if so_far["measure"] == "connect" else (1000,)


def _nonsense(params: Params) -> str:
    position = params["position"]
    if params["measure"] != "connect" and position != "first":
        return f"a {params['measure']} has no position; leave it at `first`"
    if params["services"] == 1 and position in ("middle", "last"):
        return f"with one service, the {position} is the first"
    return ""


EXPERIMENT = Experiment(
    name="service-routing",
    question="What does a Service cost, per connection and per update, as services grow?",
    parameters=(
        Parameter(
            "mode",
            "kube-proxy's mode",
            quick=("iptables", "nftables"),
            full=MODES,
            choices=MODES,
        ),
        Parameter(
            "measure",
            "connect: the data path; sync, update: the control path",
            quick=("connect",),
            full=("connect", "sync", "update"),
            choices=tuple(_SUBJECTS),
        ),
        Parameter(
            "services",
            "services in the cluster",
            quick=_quick_services,
            full=(1, 10, 100, 1000, 5000, 10_000),
            whole=True,
            minimum=1,
            maximum=100_000,
        ),
        Parameter(
            "endpoints",
            "endpoints of each service",
            quick=(1,),
            full=(1, 10),
            whole=True,
            minimum=1,
            maximum=1000,
        ),
        Parameter(
            "position",
            "which service is addressed; none is the endpoint itself, past all rules",
            quick=(*POSITIONS, "none"),
            full=(*POSITIONS, "none"),
            choices=(*POSITIONS, "none"),
        ),
        Parameter(
            "probes",
            "connections in one sample",
            quick=(200,),
            full=(500,),
            whole=True,
            minimum=1,
            maximum=10_000,
        ),
    ),
    metrics=(CONNECT, SYNC, MEMORY, UPDATE, ENDPOINT, NOTHING, DELETE),
    variant="mode",
    beside=("position",),
    subject=_open_subject,
    require=require_mode,
    nonsense=_nonsense,
    tools=("iptables-legacy", "iptables-nft", "nft", "ipvsadm"),
)
