"""The compiled loops against numpy's, bit for bit, and Kubernetes' answers with either."""

import os
import subprocess
import sys

import kubernetes_answers
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_scheduler_kubernetes_answers import KINDS, disagreements

from cnbench.scheduler import loops
from cnbench.scheduler.loops import by_numpy

NEEDS_BOTH = pytest.mark.skipif(
    loops.COMPILED not in loops.kinds(), reason="cnbench was installed without a compiler"
)
SIZES = st.sampled_from([0, 1, 3, 7, 1023, 1024, 1025, 3000])
# Few values, where lanes are summed apart, and many.
LABELS = st.sampled_from([1, 2, 11, 64, 65, 700])


class Made:
    """Arrays of one made-up cluster."""

    def __init__(self, size, labels, seed):
        self.size, self.random = size, np.random.default_rng(seed)
        self.labels = labels
        self.codes = self.random.integers(0, labels + 1, size)
        self.mask = self.random.random(size) < 0.6
        self.counts = self.random.integers(0, 40, size).astype(np.int32)
        self.table = self.random.integers(0, 300, labels + 1)

    def amounts(self, rows, most=1e12, least=0.0):
        shape = (rows, self.size)
        return np.floor(least + self.random.random(shape) * (most - least))

    def asked(self, rows, most=1e12):
        return np.floor(self.random.random((rows, 1)) * most)


made = st.builds(Made, SIZES, LABELS, st.integers(0, 2**32 - 1))


def same(name, *args):
    """Both kinds of one loop give the same, to the bit, and leave what they are given."""
    kept = [arg.copy() if isinstance(arg, np.ndarray) else arg for arg in args]
    expected = getattr(by_numpy, name)(*args)
    with loops.using(loops.COMPILED):
        found = getattr(loops, name)(*args)
    for arg, before in zip(args, kept, strict=True):
        assert not isinstance(arg, np.ndarray) or np.array_equal(arg, before)
    pairs = zip(found, expected, strict=True) if isinstance(found, tuple) else [(found, expected)]
    for one, other in pairs:
        if other is None:
            assert one is None
        else:
            assert one.dtype == other.dtype
            assert one.tobytes() == other.tobytes()


@NEEDS_BOTH
@settings(max_examples=60, deadline=None)
@given(made, st.integers(1, 4), st.integers(1, 100), st.sampled_from([1e3, 1e9, 9e13]))
def test_loops_over_resources_are_the_same(nodes, rows, weight, most):
    capacity = nodes.amounts(rows, most, least=1.0)
    weights = np.floor(nodes.random.random((rows, 1)) * weight) + 1.0
    left = nodes.amounts(rows, 100 * most, least=-10 * most)
    left = np.minimum(left, 100 * capacity)
    same("fits", left, nodes.asked(rows, most))
    same("least_allocated", left, nodes.asked(rows), capacity, weights, float(weights.sum()))
    two = nodes.amounts(2, most, least=1.0)
    same("balanced_allocation", nodes.amounts(2, 1.2 * most), nodes.asked(2, most / 9), two)


@NEEDS_BOTH
@settings(max_examples=60, deadline=None)
@given(made, st.booleans(), st.sampled_from([0, 1, 100, 4096, 4097, 2**40]))
def test_loops_over_scores_are_the_same(nodes, flag, most):
    scores = [nodes.random.integers(0, most + 1, nodes.size) for _ in range(4)]
    same("scaled_to_top", scores[0], flag)
    same("weighted_sum", scores, [1, 3, 2**20, 1], nodes.size)
    same("weighted_sum", [], [], nodes.size)
    same("between_extremes", scores[0] - most // 2, flag)
    holders = [nodes.random.permutation(nodes.size)[: nodes.size // 2] for _ in range(2)]
    images = [(numbers, float(most)) for numbers in holders]
    same("image_scores", images, nodes.size, 23.0 * 2**20, 1000.0 * 2**20)


@NEEDS_BOTH
@settings(max_examples=60, deadline=None)
@given(made, st.booleans(), st.integers(0, 60), st.sampled_from([0.0, 1.0, 9999.0, 2.0**33]))
def test_loops_by_label_are_the_same(nodes, flag, least, extra):
    values = nodes.labels + 1
    marks = nodes.table > 150
    same("looked_up", marks, nodes.codes)
    same("looked_up", nodes.table, nodes.codes)
    listed = nodes.random.integers(0, max(nodes.size, 1), nodes.size // 3).astype(np.int32)
    same("count_by_node", listed, nodes.size)
    same("count_listed", listed, nodes.codes, values, nodes.mask if flag else None)
    same("values_on", nodes.mask, nodes.codes, values)
    same("count_by_label", nodes.counts, nodes.codes, values, nodes.mask if flag else None)
    same("all_of", [nodes.mask, nodes.counts > 9, ~nodes.mask][: least % 4], nodes.size)
    marks[-1] = False
    same("within_skew", nodes.table, nodes.codes, marks if flag else None, least, least - 5)
    parts = [(nodes.table, nodes.codes, 1.0986, 0.0), (nodes.counts, None, 2.3978, extra)]
    for chosen in (parts, parts[:1], parts[1:], [(nodes.counts * 0, None, 1.0, 0.0)]):
        same("spread", chosen, nodes.size, flag)
    pulls = [(nodes.table, nodes.codes, -20, 0), (nodes.counts, None, 50, 0)]
    same("pulled", pulls, nodes.size)
    same("pulled", [], nodes.size)


@NEEDS_BOTH
def test_what_is_no_such_array_is_refused():
    with loops.using(loops.COMPILED):
        with pytest.raises(TypeError, match="free must be a contiguous array"):
            loops.fits(np.zeros((2, 6))[:, ::2], np.zeros((2, 1)))
        with pytest.raises(TypeError, match="codes must be"):
            loops.looked_up(np.zeros(3, dtype=bool), np.zeros(5, dtype=np.int16))
        with pytest.raises(ValueError, match="asked: 1 where 2 are needed"):
            loops.fits(np.zeros((2, 6)), np.zeros((1, 1)))
        with pytest.raises(ValueError, match="must not be negative"):
            loops.scaled_to_top(np.array([3, -1]), False)
        with pytest.raises(IndexError):
            loops.image_scores([(np.array([9]), 1.0)], 4, 0.0, 1.0)
        with pytest.raises(IndexError):
            loops.count_by_node(np.array([9], dtype=np.int32), 4)


@pytest.mark.parametrize("kind", loops.kinds())
@pytest.mark.parametrize(("release", "about"), KINDS)
def test_kubernetes_answers_hold_with_either_kind(kind, release, about):
    with loops.using(kind):
        assert loops.kind() == kind
        for case in kubernetes_answers.read(release):
            if case.kind == about:
                assert disagreements(case, release) == []


# Totals are no plugin's answer: test_scheduler_agreement has them.
@pytest.mark.parametrize("name", [name for name in loops.__all__ if name != "weighted_sum"])
def test_kubernetes_answers_would_notice_a_loop_that_is_wrong(name, monkeypatch):
    right = getattr(by_numpy, name)

    def wrong(*args):
        answer = right(*args)
        if answer is None:
            return None
        if isinstance(answer, tuple):
            return answer[0] + 1, answer[1]
        answer = answer.copy()
        answer[:1] = ~answer[:1] if answer.dtype == bool else answer[:1] + 1
        return answer

    monkeypatch.setattr(loops, name, wrong)
    assert any(
        disagreements(case, release)
        for release in kubernetes_answers.releases()
        for case in kubernetes_answers.read(release)
    )


def test_numpy_does_it_where_that_is_asked_for():
    said = subprocess.run(
        [sys.executable, "-c", "from cnbench.scheduler import loops; print(loops.kind())"],
        env={**os.environ, "CNBENCH_LOOPS": "numpy"}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert said.stdout.strip() == "numpy"
