"""Samples in columns: one array a field, read when it is first asked for.

A case of a hundred thousand samples is a hundred thousand objects, of which a table of medians
needs one number each. Whoever wants whole samples iterates; whoever wants a column asks for it.
Without numpy until an array is asked for: a run is recorded without it.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING, TypeAlias, overload

from cnbench.core.run import Sample

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

Numbers: TypeAlias = "array[int] | array[float]"
Disturbances: TypeAlias = Mapping[int, tuple[str, ...]]

# Before a metric's or a witness's name in that of its column.
VALUES, WITNESS = "values.", "witness."
DISTURBANCES = "disturbances"
WHOLE = ("block", "turn", "replaced", "setup", "repeat")
# In every case's; of the others, what is not there has the field's default in all samples.
ALWAYS = ("block", "turn", "started", "duration")
# A set-up that nobody noted, as a number.
_NOT_NOTED = -1


class Columns(Sequence[Sample]):
    """The samples of one case, in the order taken.

    Args:
        count: how many samples there are.
        names: the columns there are: those of ``WHOLE``, ``started``, ``duration``,
            ``values.METRIC``, ``witness.NAME``, and ``disturbances``.
        read: gives a column of numbers by its name.
        read_disturbances: gives what disturbed samples, by their place; undisturbed ones left out.
    """

    def __init__(
        self,
        count: int,
        names: Sequence[str],
        read: Callable[[str], Numbers],
        read_disturbances: Callable[[], Disturbances],
    ) -> None:
        self.names = tuple(names)
        self.read = read
        self._count = count
        self._read_disturbances = read_disturbances

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics that every sample has."""
        return _without(VALUES, self.names)

    @property
    def witnesses(self) -> tuple[str, ...]:
        """The figures of the witness that any sample has."""
        return _without(WITNESS, self.names)

    def values(self, metric: str) -> npt.NDArray[np.float64]:
        """The values of a metric, shape (samples,), in base units; KeyError without it."""
        return self._floats(VALUES + metric)

    def witness(self, name: str) -> npt.NDArray[np.float64]:
        """A figure of the witness, shape (samples,), shares of 1; NaN where a sample has none."""
        return self._floats(WITNESS + name)

    def seconds(self, name: str) -> npt.NDArray[np.float64]:
        """``started`` or ``duration``, shape (samples,)."""
        return self._floats(name)

    def whole(self, name: str) -> npt.NDArray[np.int64]:
        """One of ``WHOLE``, shape (samples,); a set-up that nobody noted is -1."""
        import numpy as np

        if name in self.names:
            return np.asarray(self.read(name)).astype(np.int64)
        return np.full(self._count, _NOT_NOTED if name == "setup" else 0)

    @cached_property
    def used(self) -> npt.NDArray[np.bool_]:
        """Which samples count: those that were not replaced; shape (samples,)."""
        found: npt.NDArray[np.bool_] = self.whole("replaced") == 0
        return found

    @cached_property
    def by_block(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """A number for each block with a sample that counts, rising, and where its last one is."""
        import numpy as np

        used = np.flatnonzero(self.used)
        # Both fit in 32 bits.
        number = (self.whole("repeat")[used] << 32) + self.whole("block")[used]
        if (number[1:] > number[:-1]).all():
            return number, used
        numbers, last = np.unique(number[::-1], return_index=True)
        return numbers, used[::-1][last]

    @property
    def disturbed(self) -> npt.NDArray[np.bool_]:
        """Which samples were disturbed; shape (samples,)."""
        import numpy as np

        found = np.zeros(self._count, dtype=np.bool_)
        found[list(self.disturbances)] = True
        return found

    @property
    def disturbances(self) -> Disturbances:
        """What disturbed samples, by their place; undisturbed ones are left out."""
        return self._read_disturbances() if DISTURBANCES in self.names else {}

    def check(self) -> None:
        """Read every column once.

        Raises:
            UsageError: one is damaged.
        """
        for name in self.names:
            if name == DISTURBANCES:
                self._read_disturbances()
            else:
                self.read(name)

    def _floats(self, name: str) -> npt.NDArray[np.float64]:
        import numpy as np

        if name not in self.names:
            raise KeyError(name)
        return np.asarray(self.read(name), dtype=np.float64)

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, place: int) -> Sample: ...

    @overload
    def __getitem__(self, place: slice) -> Sequence[Sample]: ...

    def __getitem__(self, place: int | slice) -> Sample | Sequence[Sample]:
        return tuple(self)[place]

    def __iter__(self) -> Iterator[Sample]:
        column = {name: self._plain(name) for name in (*WHOLE, "started", "duration")}
        values = [(name, self._plain(VALUES + name)) for name in self.metrics]
        witness = [(name, self._plain(WITNESS + name)) for name in self.witnesses]
        disturbances = self.disturbances
        for n in range(self._count):
            setup = column["setup"][n]
            yield Sample(
                int(column["block"][n]),
                int(column["turn"][n]),
                {name: of[n] for name, of in values},
                column["started"][n],
                column["duration"][n],
                {name: of[n] for name, of in witness if not math.isnan(of[n])},
                disturbances.get(n, ()),
                bool(column["replaced"][n]),
                None if setup == _NOT_NOTED else int(setup),
                int(column["repeat"][n]),
            )

    def _plain(self, name: str) -> Sequence[float]:
        if name in self.names:
            return self.read(name).tolist()
        return [_NOT_NOTED if name == "setup" else 0] * self._count

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    __hash__ = None  # type: ignore[assignment]  # equal to a tuple of the same samples

    def __repr__(self) -> str:
        return f"<{self._count} samples of {', '.join(self.metrics)}>"


def columns_of(samples: Sequence[Sample]) -> Columns:
    """``samples`` in columns; they have the same metrics, as those of one case do."""
    if isinstance(samples, Columns):
        return samples
    return Columns(
        len(samples), _names(samples), partial(_numbers, samples), partial(_disturbances, samples)
    )


def _names(samples: Sequence[Sample]) -> list[str]:
    if not samples:
        return []
    optional = {
        "replaced": any(sample.replaced for sample in samples),
        "setup": any(sample.setup is not None for sample in samples),
        "repeat": any(sample.repeat for sample in samples),
    }
    witnesses = dict.fromkeys(name for sample in samples for name in sample.witness)
    return [
        *ALWAYS,
        *(name for name, wanted in optional.items() if wanted),
        *(VALUES + name for name in samples[0].values),
        *(WITNESS + name for name in witnesses),
        *([DISTURBANCES] if any(sample.disturbances for sample in samples) else []),
    ]


def _numbers(samples: Sequence[Sample], column: str) -> Numbers:
    if column.startswith(VALUES):
        metric = column.removeprefix(VALUES)
        return array("d", [sample.values[metric] for sample in samples])
    if column.startswith(WITNESS):
        name = column.removeprefix(WITNESS)
        return array("d", [sample.witness.get(name, math.nan) for sample in samples])
    if column == "setup":
        return array("q", [_NOT_NOTED if s.setup is None else s.setup for s in samples])
    return array("q" if column in WHOLE else "d", [getattr(s, column) for s in samples])


def _disturbances(samples: Sequence[Sample]) -> Disturbances:
    return {n: sample.disturbances for n, sample in enumerate(samples) if sample.disturbances}


def _without(prefix: str, names: Sequence[str]) -> tuple[str, ...]:
    return tuple(name.removeprefix(prefix) for name in names if name.startswith(prefix))
