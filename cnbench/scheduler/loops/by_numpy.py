"""The inner loops in numpy: what each gives, to which the compiled ones are equal to the bit.

Arrays are contiguous and of the types given; n is the number of nodes. Labels come as a column's
codes, and tables over its values, whose last entry is of nodes without the label.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from cnbench.scheduler.columns.arrays import Codes, Counts, Floats, Ints, Mask, Shorts
from cnbench.scheduler.columns.exact import MAX_SCORE, by_table, floor_quotient, whole

# Kubernetes' initial minimum, of no domain at all (math.MaxInt32, podtopologyspread/filtering.go).
_NO_POD_LIMIT = 2**31 - 1

Entry = TypeVar("Entry", np.bool_, np.int64)


def fits(free: Floats, asked: Floats) -> Mask:
    """Where all of what is asked (k, 1) is free (k, n): bool of n."""
    enough: Mask = np.logical_and.reduce(np.greater_equal(free, asked))
    return enough


def all_of(masks: list[Mask], size: int) -> Mask:
    """The nodes that all masks admit (bool of n = size), in an array of its own."""
    every = np.ones(size, dtype=bool)
    for mask in masks:
        np.logical_and(every, mask, out=every)
    return every


def least_allocated(
    left: Floats, scored: Floats, divisor: Floats, weights: Floats, weight_sum: float
) -> Ints:
    """The weighted mean of the whole percents that stay free.

    Args:
        left: a hundred times what is left of each resource, (k, n).
        scored: a hundred times what the pod is scored by, (k, 1).
        divisor: the capacity, (k, n), above 0.
        weights: the resources' weights, (k, 1).
        weight_sum: their sum.

    Returns:
        0 to 100, cut off to whole numbers; 0 of a resource where more is asked than is left.
    """
    percent: Floats = np.subtract(left, scored)
    # Looking for the lowest is cheaper than cutting, and nodes are rarely overcommitted.
    if percent.min(initial=0.0) < 0.0:
        np.maximum(percent, 0.0, out=percent)
    floor_quotient(percent, divisor)
    percent *= weights
    total = percent[0]
    for further in percent[1:]:
        total += further
    # Not negative, so that cutting off the fraction rounds down (see exact.py).
    return whole(np.divide(total, weight_sum, out=total))


def balanced_allocation(used: Floats, asked: Floats, divisor: Floats) -> Ints:
    """100 * (1 - half the difference of two used fractions), each at most 1, cut off.

    Args:
        used: what is used of two resources, (2, n).
        asked: what the pod adds, (2, 1).
        divisor: their capacity, (2, n), above 0.
    """
    share: Floats = np.add(used, asked)
    np.divide(share, divisor, out=share)
    # Looking for the highest is cheaper than cutting, and nodes are rarely overcommitted.
    if share.max(initial=0.0) > 1.0:
        np.minimum(share, 1.0, out=share)
    balance = np.subtract(share[0], share[1], out=share[0])
    np.abs(balance, out=balance)
    balance *= -0.5
    balance += 1.0
    balance *= MAX_SCORE
    return whole(balance)


def scaled_to_top(scores: Ints, reverse: bool) -> Ints:
    """Kubernetes' DefaultNormalizeScore: 100 * score / highest, or 100 less that if reversed.

    Where the highest is 0: all 0, or all 100 if reversed.
    """
    top = int(scores.max(initial=0))
    if top == 0:
        return np.full(len(scores), MAX_SCORE if reverse else 0, dtype=np.int64)
    if reverse:
        return by_table(scores, top, lambda s: MAX_SCORE - MAX_SCORE * s // top)
    return by_table(scores, top, lambda s: MAX_SCORE * s // top)


def weighted_sum(scores: list[Ints], weights: list[int], size: int) -> Ints:
    """The sum of scores (int64 of n = size) times weights; 0 of none."""
    if not scores:
        return np.zeros(size, dtype=np.int64)
    total: Ints = scores[0] * weights[0]
    for further, weight in zip(scores[1:], weights[1:], strict=True):
        total += further if weight == 1 else further * weight
    return total


def count_by_label(counts: Shorts, codes: Codes, values: int, eligible: Mask | None) -> Ints:
    """The sums of counts (int32 of n) by code, on eligible nodes only: int64 of `values`."""
    counted = counts if eligible is None else counts * eligible
    weights = counted.astype(np.float64)  # exact far beyond any number of pods
    return np.bincount(codes, weights=weights, minlength=values).astype(np.int64)


def count_listed(nodes: Shorts, codes: Codes, values: int, eligible: Mask | None) -> Ints:
    """How many of these nodes (one may be there twice) have each code: int64 of `values`.

    Only eligible ones count.
    """
    if eligible is not None:
        nodes = nodes[eligible[nodes]]
    return np.bincount(codes[nodes], minlength=values)


def values_on(nodes: Mask, codes: Codes, values: int) -> Mask:
    """The codes that some of these nodes have: bool of `values`."""
    there = np.zeros(values, dtype=bool)
    there[codes[nodes]] = True
    return there


def within_skew(
    counts: Ints, codes: Codes, domains: Mask | None, min_domains: int, most: int
) -> Mask:
    """The nodes whose domain has at most so many pods more than the one with the fewest.

    Args:
        counts: pods by the label's value, the last of nodes without it.
        codes: each node's value.
        domains: the values that are domains; None for all of them.
        min_domains: with fewer domains, the fewest pods count as 0.
        most: how many more there may be.

    Returns:
        bool of n; not the nodes without the label.
    """
    if domains is None:
        number, fewest = len(counts) - 1, int(counts[:-1].min(initial=_NO_POD_LIMIT))
    else:
        number = int(domains.sum())
        fewest = int(counts.min(where=domains, initial=_NO_POD_LIMIT))
    allowed: Mask = np.less_equal(counts, most + (fewest if number >= min_domains else 0))
    allowed[-1] = False
    return allowed.take(codes)


# Counts (int32 or int64), the codes to look them up by (None: they are the nodes' own), and what
# each is multiplied with and increased by.
Part = tuple[Counts, Codes | None, float, float]


def spread(parts: list[Part], size: int, rounds: bool) -> tuple[Ints, Ints]:
    """The sum of parts, and 100 * (max + min - sum) / max, 100 where the maximum is 0 (int64 of n).

    Args:
        parts: at least one, none negative.
        size: the number of nodes.
        rounds: whether sums are rounded half away from zero; otherwise they are cut off.
    """
    total = _part(*parts[0])
    for part in parts[1:]:
        total += _part(*part)
    raw = rounded(total) if rounds else total.astype(np.int64)
    return raw, reversed_scores(raw, raw)


def _part(counts: Counts, codes: Codes | None, weight: float, extra: float) -> Floats:
    scaled: Floats = counts * weight + extra
    return scaled if codes is None else scaled.take(codes)


def rounded(values: Floats) -> Ints:
    """Go's math.Round: halves away from zero (numpy's go to even).

    Half is added and the fraction cut off. That is Round for all values from 0 on for which the sum
    is not itself rounded up to an integer, which of all float64 below 2**52 happens to the one just
    below 0.5. These sums are 0, or at least one pod's ln 2 or one of maxSkew - 1.
    """
    values += 0.5
    return values.astype(np.int64)


def reversed_scores(raw: Ints, known: Ints) -> Ints:
    """100 * (max + min - score) / max, the maximum and minimum those of the known ones."""
    most, least = int(known.max(initial=0)), int(known.min(initial=2**63 - 1))
    if most == 0:
        return np.full(len(raw), MAX_SCORE, dtype=np.int64)
    return by_table(raw, most, lambda s: MAX_SCORE * (most + least - s) // most)


# The same of whole numbers, with nothing to increase by; tables over a label's values are int64.
Pull = tuple[Counts, Codes | None, int, int]


def image_scores(parts: list[tuple[Codes, float]], size: int, least: float, most: float) -> Ints:
    """The sum of what is on each node, brought from least .. most to 0 .. 100, cut off.

    Args:
        parts: the nodes that have an image, and its bytes (a whole number).
        size: n, the number of nodes.
        least: the bytes up to which the score is 0.
        most: those from which on it is 100; a hundredfold is below 2**53 (see exact.py).
    """
    there = np.zeros(size)
    for nodes, amount in parts:
        there[nodes] += amount
    np.maximum(there, least, out=there)
    np.minimum(there, most, out=there)
    there -= least
    there *= MAX_SCORE
    return whole(floor_quotient(there, most - least))


def pulled(parts: list[Pull], size: int) -> Ints:
    """The sum over parts of weight times count (int64 of n = size).

    Args:
        parts: what each adds.
        size: the number of nodes.
    """
    total = np.zeros(size, dtype=np.int64)
    for counts, codes, weight, _ in parts:
        total += weight * (counts if codes is None else counts.take(codes))
    return total


def looked_up(table: NDArray[Entry], codes: Codes) -> NDArray[Entry]:
    """Each node's value's entry in a table of bool or int64 (n of the same)."""
    return table.take(codes)


def count_by_node(nodes: Shorts, size: int) -> Shorts:
    """How often each node is among these (int32 of n = size)."""
    return np.bincount(nodes, minlength=size).astype(np.int32)


def between_extremes(raw: Ints, from_zero: bool) -> Ints | None:
    """100 * (score - min) / (max - min), cut off; None where they are equal.

    Args:
        raw: the scores (int64 of n).
        from_zero: whether a 0 counts among those whose minimum and maximum are taken.
    """
    if not len(raw):
        return None
    least, most = int(raw.min()), int(raw.max())
    if from_zero:
        least, most = min(least, 0), max(most, 0)
    if least == most:
        return None
    share = (raw - least).astype(np.float64)
    share /= most - least
    share *= MAX_SCORE
    return whole(share)
