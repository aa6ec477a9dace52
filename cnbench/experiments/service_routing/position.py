"""Which of a cluster's services is addressed, or which way past them."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

# Through the rules of one service, or of some at random.
PROBED = ("first", "middle", "last", "random")
# Of the user's own services, the one that was chosen by name.
CHOSEN = "chosen"
# Straight to an endpoint: on a node with all rules, none of which matches, and on one without any.
NONE, BARE = "none", "bare"
POSITIONS = (*PROBED, NONE, BARE)
POSITIONS_OF_CHOSEN = (CHOSEN, NONE, BARE)

# One out of each of as many equal parts of the table, so that their mean place hardly depends on
# which ones they are. Few enough that each has many of a sample's probes: the median then lies well
# inside one service's, where the few probes that a timer's tick makes dearer cannot move it on to
# the next. And an odd number: otherwise it would lie between two.
_AT_RANDOM = 11
_SEED = 1


def at_position(position: str, services: Sequence[T]) -> list[T]:
    """The services at one of ``PROBED``; the first for a way past them, whose endpoint it leads to.

    The random ones are the same for the same number of services.
    """
    count = len(services)
    if position == "random":
        parts = min(_AT_RANDOM, count if count % 2 else count - 1)
        edges = [count * part // parts for part in range(parts + 1)]
        chance = random.Random(_SEED)  # noqa: S311  nothing here is secret
        return [services[chance.randrange(*ends)] for ends in itertools.pairwise(edges)]
    index = {"middle": count // 2, "last": count - 1}.get(position, 0)
    return [services[index]]
