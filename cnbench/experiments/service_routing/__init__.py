"""service-routing: what does a Service cost, as the rules grow?

``measure=connect`` is the data path. A conversation's first packet alone walks the nat table;
conntrack remembers where the others go. So what is timed is the set-up of TCP connections (or a
first question and answer by UDP) through a service's cluster address, every one from a source of
its own. Only what is asked for differs: which of the services in the table is addressed, or, as
controls, the endpoint itself over the same node (``position=none``, which passes all rules and
matches none) and over a node without rules (``position=bare``). ``rtt`` and ``throughput`` are of
an established connection, which should depend on none of this, and ``hairpin`` of a backend that
reaches itself.

``sync`` and ``update`` are the control path: programming all services on an empty node, and
changing one among those that are there. ``append`` is what others have measured in its place.
"""

from __future__ import annotations

from contextlib import AbstractContextManager

from cnbench.core.experiment import Experiment, OpenSubject, Subject
from cnbench.core.parameter import Point
from cnbench.experiments.service_routing.append import APPEND, APPEND_LAST, open_append
from cnbench.experiments.service_routing.cluster import require_mode
from cnbench.experiments.service_routing.established import RTT, RTT_P99, open_established
from cnbench.experiments.service_routing.grid import PARAMETERS, nonsense, soon_counted
from cnbench.experiments.service_routing.hairpin import HAIRPIN, open_hairpin
from cnbench.experiments.service_routing.programming import (
    ARRIVAL,
    DELETE,
    ENDPOINT,
    MEMORY,
    NOTHING,
    OVERHEAD,
    SYNC,
    TOOL,
    UPDATE,
    open_sync,
    open_update,
)
from cnbench.experiments.service_routing.subject import CONNECT, CONNECT_P99, open_connect
from cnbench.lab.host import Lab
from cnbench.probes.traffic import THROUGHPUT

_SUBJECTS: dict[str, OpenSubject] = {
    "connect": open_connect,
    "rtt": open_established,
    "throughput": open_established,
    "hairpin": open_hairpin,
    "sync": open_sync,
    "update": open_update,
    "append": open_append,
}


def _open_subject(params: Point, lab: Lab) -> AbstractContextManager[Subject]:
    return _SUBJECTS[params.text("measure")](params, lab)


EXPERIMENT = Experiment(
    name="service-routing",
    question="What does a Service cost, per connection and per update, as services grow?",
    parameters=PARAMETERS,
    metrics=(
        CONNECT,
        CONNECT_P99,
        RTT,
        RTT_P99,
        THROUGHPUT,
        HAIRPIN,
        SYNC,
        TOOL,
        OVERHEAD,
        ARRIVAL,
        MEMORY,
        UPDATE,
        ENDPOINT,
        NOTHING,
        DELETE,
        APPEND,
        APPEND_LAST,
    ),
    variant="mode",
    beside=("position", "scheduler"),
    subject=_open_subject,
    require=require_mode,
    nonsense=nonsense,
    soon=soon_counted,
    tools=("iptables-legacy", "iptables-nft", "nft", "ipvsadm"),
)
