"""What became of pods, from the audit: when each was made, bound, said to be ready, and gone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise

from cnbench.control_plane.cluster import NAMESPACE
from cnbench.control_plane.servers.audit import COMPLETE, Line

_FEWEST_REFUSED = 300


@dataclass
class History:
    """The answers of the API server to who changed something, in the order of their times."""

    lines: list[Line] = field(default_factory=list)

    def add(self, lines: Iterable[Line]) -> None:
        """Keep what was done of ``lines``."""
        done = [
            line
            for line in lines
            if (line.stage, line.namespace) == (COMPLETE, NAMESPACE)
            and 0 < line.code < _FEWEST_REFUSED
        ]
        self.lines = sorted([*self.lines, *done], key=lambda line: line.at)

    def of(self, verb: str, resource: str, name: str = "") -> list[Line]:
        """Of one kind; without a ``name``, of whatever name."""
        return [
            line
            for line in self.lines
            if (line.verb, line.resource) == (verb, resource) and name in ("", line.name)
        ]

    @property
    def made(self) -> list[Line]:
        """Creations of pods; those that a controller lets the server name have none."""
        return self.of("create", "pods")

    @property
    def bound(self) -> list[Line]:
        """Bindings of pods to nodes."""
        return self.of("create", "pods/binding")

    @property
    def ready(self) -> list[Line]:
        """Statuses that say that a pod runs, or has ended."""
        return self.of("patch", "pods/status")

    @property
    def gone(self) -> list[Line]:
        """Deletions of pods, each once: a controller may ask again before it knows."""
        first = {line.name: line for line in reversed(self.of("delete", "pods"))}
        return sorted(first.values(), key=lambda line: line.at)


def out_of_order(history: History) -> int:
    """How many pods were made before the one before them was ready."""
    ready = {line.name: line.at for line in history.ready}
    made = history.made
    never = float("inf")
    return sum(later.came < ready.get(earlier.name, never) for earlier, later in pairwise(made))


def fewest_ready(history: History, before: int) -> int:
    """The fewest pods at a time that were ready, of ``before`` at first.

    A status counts from the moment it came in, a deletion once it was answered: who acted on the
    one before the audit had it has not acted too soon.
    """
    changes = [(line.came, 1) for line in history.ready] + [(line.at, -1) for line in history.gone]
    return min(accumulate((change for _, change in sorted(changes)), initial=before))


def apart(lines: Sequence[Line]) -> list[int]:
    """The ns between each of ``lines`` and the next."""
    return [later.at - earlier.at for earlier, later in pairwise(lines)]
