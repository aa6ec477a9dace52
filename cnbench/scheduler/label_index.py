"""Finding by label what a selector could mean, or which selectors could mean something.

Both only narrow down: what is found has one label of several, and is to be looked at closely.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Pair = tuple[str, str]


class Labelled(Generic[Item]):
    """Things that have labels."""

    def __init__(self) -> None:
        self._all: list[Item] = []
        self._with: dict[Pair, list[Item]] = {}

    def add(self, item: Item, labels: Iterable[Pair]) -> None:
        """Take in a thing with these labels."""
        self._all.append(item)
        for label in labels:
            self._with.setdefault(label, []).append(item)

    def __iter__(self) -> Iterator[Item]:
        return iter(self._all)

    def candidates(self, demanded: Iterable[Pair]) -> Sequence[Item]:
        """Those with the rarest of these labels; all of them where none is demanded."""
        having: list[Sequence[Item]] = [self._with.get(label, ()) for label in demanded]
        return min(having, key=len, default=self._all)


class Demanding(Generic[Item]):
    """Things that demand labels of others."""

    def __init__(self) -> None:
        self._undemanding: list[Item] = []
        self._demanding: dict[Pair, list[Item]] = {}

    def add(self, item: Item, demanded: Collection[Pair]) -> None:
        """Take in a thing that demands all these labels."""
        filed = self._demanding.setdefault(min(demanded), []) if demanded else self._undemanding
        filed.append(item)

    def candidates(self, labels: Iterable[Pair]) -> Iterator[Item]:
        """Those whose demands could be satisfied by these labels."""
        yield from self._undemanding
        for label in labels:
            yield from self._demanding.get(label, ())

    def clear(self) -> None:
        """Forget all of them."""
        self._undemanding.clear()
        self._demanding.clear()
