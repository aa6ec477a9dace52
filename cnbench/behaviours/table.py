"""What several kernels answered, side by side, and where two of them differ."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cnbench.behaviours.observation import Observation
from cnbench.core.kernels.release import release_order


@dataclass(frozen=True)
class Column:
    """What one kernel answered.

    Attributes:
        kernel: as it was asked for: ``host``, a suite, or a path.
        release: ``uname -r``.
        observations: one for each behaviour that was asked.
    """

    kernel: str
    release: str
    observations: tuple[Observation, ...]

    def of(self, behaviour: str) -> Observation | None:
        """Its observation of ``behaviour``, or None where that was not asked."""
        found = (
            observation for observation in self.observations if observation.behaviour == behaviour
        )
        return next(found, None)


@dataclass(frozen=True)
class Change:
    """A behaviour in which two kernels differ.

    Attributes:
        behaviour: its name.
        before, after: what each of them answered.
    """

    behaviour: str
    before: str
    after: str


@dataclass(frozen=True)
class Table:
    """Kernels side by side, oldest first. Use ``table_of``."""

    columns: tuple[Column, ...]

    @property
    def behaviours(self) -> tuple[str, ...]:
        """All that any of the kernels was asked, in the order in which it was."""
        return tuple(
            dict.fromkeys(
                observation.behaviour
                for column in self.columns
                for observation in column.observations
            )
        )

    def row(self, behaviour: str) -> tuple[Observation | None, ...]:
        """Each kernel's observation, in the order of the columns."""
        return tuple(column.of(behaviour) for column in self.columns)

    def marks(self, behaviour: str) -> tuple[bool, ...]:
        """Whether each kernel's answer differs from that of the nearest older one that has any."""
        marks: list[bool] = []
        before = ""
        for observation in self.row(behaviour):
            answer = observation.answer if observation else ""
            marks.append(bool(answer and before and answer != before))
            before = answer or before
        return tuple(marks)

    def differing(self) -> tuple[str, ...]:
        """The behaviours in which two of the kernels differ."""
        return tuple(name for name in self.behaviours if any(self.marks(name)))


def table_of(columns: Sequence[Column]) -> Table:
    """The table of ``columns``, in the order of the kernels' versions."""
    return Table(tuple(sorted(columns, key=lambda column: release_order(column.release))))


def changes(before: Column, after: Column) -> Iterator[Change]:
    """All in which ``after`` answered otherwise than ``before``; who did not answer is left out."""
    for one in before.observations:
        other = after.of(one.behaviour)
        if other and one.status == other.status == "ok" and one.answer != other.answer:
            yield Change(one.behaviour, one.answer, other.answer)
