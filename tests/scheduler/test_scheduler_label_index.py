"""What the label indices leave out could not have been meant."""

from hypothesis import given
from hypothesis import strategies as st

from cnbench.scheduler.columns.label_index import Demanding, Labelled

labels = st.sets(st.tuples(st.sampled_from("ab"), st.sampled_from("xyz")), max_size=3)
things = st.lists(labels, max_size=8)


class Thing:
    def __init__(self, pairs):
        self.pairs = tuple(pairs)


@given(things, labels)
def test_whatever_has_all_labels_demanded_is_found(having, demanded):
    index = Labelled()
    every = [Thing(pairs) for pairs in having]
    for thing in every:
        index.add(thing)
    meant = [thing for thing in every if demanded <= set(thing.pairs)]
    assert list(index.having(demanded)) == meant
    assert list(index.having(())) == every


@given(things, labels)
def test_whatever_demands_no_other_label_is_a_candidate_once(demanding, given_labels):
    index = Demanding()
    for number, pairs in enumerate(demanding):
        index.add(number, pairs)
    found = list(index.candidates(given_labels))
    assert len(found) == len(set(found))
    assert {number for number, pairs in enumerate(demanding) if pairs <= given_labels} <= set(found)
    index.clear()
    assert list(index.candidates(given_labels)) == []
