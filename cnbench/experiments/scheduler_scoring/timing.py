"""How long a call takes that is far shorter than what the clock can tell.

As pyperf does it: loops are doubled until a value takes long enough for the clock, and the first
calls are thrown away. Of pyperf itself nothing runs here: its runner starts processes that each
measure one benchmark, where cnbench takes all variants in turns, and a guest does not have it.
`python -m cnbench.scheduler.timing.under_pyperf` measures the same questions with pyperf's own
runner and metadata, to check this against.
"""

from __future__ import annotations

import contextlib
import gc
import itertools
import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from cnbench.lab.clock import Clock

Call = Callable[[], object]

# A clock's reading takes some 50 ns: a two-thousandth of this.
_SHORTEST_BATCH = 100_000
# Ticks (nanoseconds or instructions) of all batches of a sample together, and their fewest.
_SAMPLE = 4_000_000
_FEWEST_BATCHES = 5


@dataclass(frozen=True)
class Effort:
    """How much is timed for one sample: ``batches``, each of ``loops`` calls in a row."""

    batches: int
    loops: int


def effort_again(call: Call, clock: Clock) -> Effort:
    """The effort for a call that costs the same every time: loops are doubled until it shows.

    The shortest of some batches tells: in one the collector came, or another process, so that a
    call of 880 ns was thought to be long enough alone. It then told 1,190, reading the clock
    included, in all samples of a set-up.
    """
    loops = 1
    with _without_garbage_collection():
        while (took := _shortest(call, loops, clock)) < _SHORTEST_BATCH:
            loops *= 2
    return _effort(took, loops)


def effort_afresh(prepared: Callable[[], Call], clock: Clock) -> Effort:
    """The effort for a call that must be prepared each time."""
    with _without_garbage_collection():
        return _effort(min(_batch(prepared(), 1, clock) for _ in range(_FEWEST_BATCHES)), 1)


def _effort(took: int, loops: int) -> Effort:
    return Effort(max(_FEWEST_BATCHES, _SAMPLE // max(took, 1)), loops)


def cost_of(prepared: Callable[[], Call], effort: Effort, clock: Clock) -> float:
    """The median cost of a call over the batches, in the clock's unit.

    The median, since a batch in which another process had the CPU says nothing of the call.
    ``prepared`` is called before every batch, and not timed.
    """
    with _without_garbage_collection():
        ticks = [_batch(prepared(), effort.loops, clock) for _ in range(effort.batches)]
    return clock.units(statistics.median(ticks) / effort.loops)


def _shortest(call: Call, loops: int, clock: Clock) -> int:
    return min(_batch(call, loops, clock) for _ in range(_FEWEST_BATCHES))


def _batch(call: Call, loops: int, clock: Clock) -> int:
    began = clock.ticks()
    for _ in itertools.repeat(None, loops):
        call()
    return clock.ticks() - began


@contextlib.contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """As timeit does: the collector's visits to a whole cluster are no plugin's cost."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
