"""The order in which a block samples its cases."""

from __future__ import annotations

import random


def balanced_order(count: int, block: int, seed: int) -> list[int]:
    """The order of ``count`` cases in ``block``: shuffled in even blocks, reversed in odd ones.

    A drift that is linear over two blocks so weighs on all cases alike (ABBA), and the shuffle
    keeps any one case from always following the same other (Google Benchmark's documentation of
    random interleaving measures what that is worth).
    """
    order = list(range(count))
    random.Random(f"{seed} {block // 2}").shuffle(order)  # noqa: S311  nothing here is a secret
    return order if block % 2 == 0 else order[::-1]
