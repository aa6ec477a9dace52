"""Finding by label what a selector means, or which selectors could mean something."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Generic, Protocol, TypeVar

Item = TypeVar("Item")
Pair = tuple[str, str]


class HasLabels(Protocol):
    """A thing with labels."""

    pairs: tuple[Pair, ...]


Owner = TypeVar("Owner", bound=HasLabels)


class Labelled(Generic[Owner]):
    """Things that have labels."""

    def __init__(self) -> None:
        self._all: list[Owner] = []
        self._with: dict[Pair, list[Owner]] = {}

    def add(self, item: Owner) -> None:
        """Take in a thing with its labels."""
        self._all.append(item)
        for label in item.pairs:
            self._with.setdefault(label, []).append(item)

    def having(self, demanded: Collection[Pair]) -> Sequence[Owner]:
        """Those that have all of these labels, found by the rarest; all where none is demanded."""
        if not demanded:
            return self._all
        found = min([self._with.get(label, []) for label in demanded], key=len)
        if len(demanded) > 1:
            for label in demanded:
                found = [owner for owner in found if label in owner.pairs]
        return found


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
        """Those whose demands could be satisfied: one label of several is there."""
        yield from self._undemanding
        for label in labels:
            yield from self._demanding.get(label, ())

    def clear(self) -> None:
        """Forget all of them."""
        self._undemanding.clear()
        self._demanding.clear()
