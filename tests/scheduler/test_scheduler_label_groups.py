"""Tallies of selectors, counted as pods come and go, against counting all pods each time."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from cnbench.scheduler.columns.pod_sets import Clause, PodQuery, PodSets
from cnbench.scheduler.model.selectors import LabelSelector

SIZE = 5
NAMESPACES = ("a", "b")
LABELS = st.dictionaries(st.sampled_from("xy"), st.sampled_from("12"), max_size=2)


@dataclass(frozen=True)
class Pods:
    """What a class of pods is made from."""

    namespace: str
    labels: tuple[tuple[str, str], ...]
    terminating: bool


kinds = st.builds(
    lambda namespace, labels, terminating: Pods(namespace, tuple(labels.items()), terminating),
    st.sampled_from(NAMESPACES), LABELS, st.booleans(),
)  # fmt: skip
queries = st.builds(
    lambda namespaces, labels, terminating: PodQuery(
        (Clause(tuple(namespaces), None, LabelSelector(labels)),), terminating
    ),
    st.lists(st.sampled_from(NAMESPACES), min_size=1, max_size=2, unique=True),
    LABELS, st.booleans(),
)  # fmt: skip
steps = st.one_of(
    st.tuples(st.just("place"), kinds, st.integers(0, SIZE - 1)),
    st.tuples(st.just("remove"), st.integers(0, 99), st.just(0)),
    st.tuples(st.just("ask"), queries, st.just(0)),
    st.tuples(st.just("forget"), st.just(0), st.just(0)),
)


def counted(placed, query):
    here = [0] * SIZE
    for pods, node in placed:
        demanded = query.demanded
        if pods.terminating and not query.terminating_too:
            continue
        if pods.namespace in query.clauses[0].namespaces and demanded <= set(pods.labels):
            here[node] += 1
    return here


@given(st.lists(steps, max_size=40))
def test_every_tally_keeps_counting_what_its_selector_means(taken):
    sets, placed, asked = PodSets(SIZE, {}), [], {}
    for step, what, node in taken:
        if step == "place":
            for tally in sets.class_of(what).counted_by():
                tally.add(node)
            placed.append((what, node))
        elif step == "remove" and placed:
            pods, there = placed.pop(what % len(placed))
            for tally in sets.class_of(pods).counted_by():
                tally.remove(there)
        elif step == "ask":
            asked[what] = sets.tally(what)
        elif step == "forget":
            sets.forget_queries()
            asked.clear()
        for query, tally in asked.items():
            assert tally.per_node().tolist() == counted(placed, query)
            assert tally.total == sum(counted(placed, query))
