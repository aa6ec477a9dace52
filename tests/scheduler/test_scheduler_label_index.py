"""What the label indices leave out could not have been meant."""

from hypothesis import given
from hypothesis import strategies as st

from cnbench.scheduler.label_index import Demanding, Labelled

labels = st.sets(st.tuples(st.sampled_from("ab"), st.sampled_from("xyz")), max_size=3)
things = st.lists(labels, max_size=8)


@given(things, labels)
def test_whatever_has_all_labels_demanded_is_a_candidate(having, demanded):
    index = Labelled()
    for number, pairs in enumerate(having):
        index.add(number, pairs)
    meant = [number for number, pairs in enumerate(having) if demanded <= pairs]
    found = list(index.candidates(demanded))
    assert [number for number in found if demanded <= having[number]] == meant
    assert list(index) == list(range(len(having)))


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


def test_the_rarest_label_decides_how_many_are_looked_at():
    index = Labelled()
    for number in range(100):
        index.add(number, {("tier", "web"), ("app", str(number))})
    assert index.candidates({("tier", "web"), ("app", "7")}) == [7]
    assert len(index.candidates(())) == 100
