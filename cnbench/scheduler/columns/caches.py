"""A cache that forgets what has not been used for longest, so that memory stays bounded."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

import numpy as np

Made = TypeVar("Made")


class BoundedCache:
    """Keeps the results of the last `limit` distinct questions."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept: OrderedDict[Hashable, Any] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """The result for this key, made now if it is not kept."""
        kept = self._kept
        if key in kept:
            kept.move_to_end(key)
            found: Made = kept[key]
            return found
        found = kept[key] = frozen(make())
        if len(kept) > self._limit:
            kept.popitem(last=False)
        return found

    def clear(self) -> None:
        """Forget everything."""
        self._kept.clear()


def frozen(made: Made) -> Made:
    """An array that is kept must not be written to by whoever asks for it."""
    if isinstance(made, np.ndarray):
        made.setflags(write=False)
    return made
