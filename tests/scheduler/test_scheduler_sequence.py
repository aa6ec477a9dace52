"""Many pods asked of one cluster: each answer is that of a cluster that nobody asked before.

python tests/scheduler/test_scheduler_sequence.py 3000    # so many pods in one sequence
"""

import random
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnbench.scheduler import (
    Cluster,
    Node,
    NodeAffinity,
    NodeSelectorTerm,
    Pod,
    PodAffinity,
    PodAffinityTerm,
    Requirement,
    Scheduler,
    Taint,
    Toleration,
    TopologySpreadConstraint,
)
from cnbench.scheduler.model.attachments import HostPort
from cnbench.scheduler.plugins import SCORES
from cnbench.scheduler.spread_domains import CountedNodes

ZONE, HOST = "topology.kubernetes.io/zone", "kubernetes.io/hostname"
RELEASES = ("1.20", "1.26", "1.30", "1.36")


def some(lot, choices, most=2):
    return [lot.choice(choices) for _ in range(lot.randint(0, most))]


def random_nodes(lot):
    nodes = []
    for number in range(lot.randint(2, 7)):
        labels = {"disk": lot.choice(["ssd", "hdd"])}
        labels |= {ZONE: lot.choice("abc")} if lot.random() < 0.8 else {}
        labels |= {HOST: f"n{number}"} if lot.random() < 0.9 else {}
        taints = [Taint(key, "", effect) for key, effect in set(some(lot, TAINTS))]
        nodes.append(Node(f"n{number}", {"cpu": 4000, "memory": 2**33}, labels, taints))
    return nodes


TAINTS = [(key, effect) for key in ("x", "y") for effect in ("NoSchedule", "PreferNoSchedule")]
TOLERATIONS = [Toleration("x", "Exists"), Toleration("", "Exists"), Toleration("y")]


def random_pod(lot, name):
    def selector():
        return lot.choice([None, {}, {"app": "a"}, {"app": "b"}])

    def constraint():
        return TopologySpreadConstraint(
            lot.randint(1, 2),
            lot.choice([ZONE, HOST, "disk"]),
            lot.choice(["DoNotSchedule", "ScheduleAnyway"]),
            selector(),
            lot.choice([None, None, 3]),
            lot.choice(["Honor", "Ignore"]),
            lot.choice(["Honor", "Ignore"]),
            lot.choice([(), ("rev",)]),
        )

    def affinity():
        terms = [PodAffinityTerm(lot.choice([ZONE, HOST]), selector()) for _ in range(1)]
        return PodAffinity(terms if lot.random() < 0.2 else ())

    ssd = NodeAffinity([NodeSelectorTerm([Requirement("disk", "In", ("ssd",))])])
    return Pod(
        name,
        requests={"cpu": lot.choice([0, 100, 900])},
        labels={"app": lot.choice("ab"), "rev": lot.choice("12")},
        node_selector=lot.choice([{}, {}, {"disk": "hdd"}]),
        node_affinity=lot.choice([None, None, ssd]),
        pod_affinity=affinity(),
        pod_anti_affinity=affinity(),
        tolerations=some(lot, TOLERATIONS),
        topology_spread_constraints=[constraint() for _ in range(lot.randint(0, 2))],
        spread_selector=selector(),
        host_ports=[HostPort(80, "TCP", lot.choice(["", "10.0.0.1"]))] * (lot.random() < 0.1),
    )


def answers(cluster, release, pod):
    scheduler = Scheduler(cluster, release, scores=SCORES)
    fits = scheduler.filter(pod)
    everywhere, feasible = scheduler.score(pod), scheduler.score(pod, fits)
    return (
        {name: mask.tolist() for name, mask in fits.by_plugin.items()},
        {name: scores.tolist() for name, scores in everywhere.raw.items()},
        {name: scores.tolist() for name, scores in feasible.normalised.items()},
        feasible.total.tolist(),
    )


def ask_in_sequence(seed, pods):
    """Ask about so many pods of one cluster, placing and removing some in between."""
    lot = random.Random(seed)
    nodes, release = random_nodes(lot), lot.choice(RELEASES)
    cluster, placed = Cluster(nodes), {}
    for number in range(pods):
        pod = random_pod(lot, f"p{number}")
        fresh = Cluster(nodes)
        for other, node in placed.values():
            fresh.add(other, node)
        assert answers(cluster, release, pod) == answers(fresh, release, pod), (seed, number)
        if lot.random() < 0.4:
            placed[pod.name] = pod, lot.randrange(len(nodes))
            cluster.add(*placed[pod.name])
        if placed and (lot.random() < 0.2 or len(placed) > 30):
            cluster.remove(placed.pop(lot.choice(sorted(placed)))[0])


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_answers_do_not_depend_on_what_was_asked_before(seed):
    ask_in_sequence(seed, 25)


def test_honouring_taints_without_tolerations_is_not_ignoring_them():
    # c is tainted and alone in its zone; d has no zone. To Honor only a and b count, so that b has
    # the fewest; to Ignore, asked next, c has.
    nodes = [
        Node("a", {}, {ZONE: "a"}),
        Node("b", {}, {ZONE: "b"}),
        Node("c", {}, {ZONE: "c"}, [Taint("x")]),
        Node("d"),
    ]
    cluster = Cluster(nodes)
    for number, node in enumerate(["a", "a", "b"]):
        cluster.add(Pod(f"p{number}", labels={"app": "a"}), node)
    found = []
    for policy in ("Honor", "Ignore", "Honor"):
        constraint = TopologySpreadConstraint(
            1, ZONE, label_selector={"app": "a"}, node_taints_policy=policy
        )
        pod = Pod("new", labels={"app": "a"}, topology_spread_constraints=[constraint])
        found.append(Scheduler(cluster).filter(pod).by_plugin["PodTopologySpread"].tolist())
    honoured, ignored = [False, True, True, False], [False, False, True, False]
    assert found == [honoured, ignored, honoured]


def test_the_sequence_would_notice_domains_kept_for_both_policies(monkeypatch):
    # Alike to a fault that was there: whether taints are honoured made no difference to the rules.
    made = CountedNodes.__init__

    def with_the_fault(self, *given):
        made(self, *given)
        self.rules = tuple(rule for rule in self.rules if rule[0] != "taints")

    monkeypatch.setattr(CountedNodes, "__init__", with_the_fault)
    with pytest.raises(AssertionError):
        ask_in_sequence(0, 40)


if __name__ == "__main__":
    ask_in_sequence(random.randrange(2**32), int(sys.argv[1]))
    print(f"{sys.argv[1]} pods asked of one cluster are answered as of fresh ones")
