"""What else happened on the machine while a sample was taken.

All figures are shares: of the sample's duration for what delays this thread, of all CPU time for
what the machine did. Sources: proc(5) for /proc/stat and /proc/PID/schedstat, the kernel's
Documentation/accounting/psi.rst for /proc/pressure.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cnbench.lab.timed import TimedParts
from cnbench.probes.cpu_time import run_delay

_TICK = 1 / os.sysconf("SC_CLK_TCK")
_STAT_COLUMNS = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")

# Above these a sample is marked and measured again. Steal and run-queue delay are time in which the
# measured code wanted to run and could not; 2 % of a sample is twice the default precision. The
# absolute floor keeps one late wake-up in a sample of a few milliseconds from counting.
_THRESHOLDS: Mapping[str, tuple[float, str]] = {
    "steal": (0.02, "the hypervisor took {:.1%} of the CPU time"),
    "run_delay": (0.02, "the sampler waited for a CPU {:.1%} of the time"),
}
_LEAST_DELAY = 1e-3


@dataclass(frozen=True)
class MachineReading:
    """The counters at one moment; seconds since some beginning."""

    at: float
    run_delay: float
    machine: Mapping[str, float]
    pressure: float | None

    @classmethod
    def now(cls) -> MachineReading:
        """Read all counters; what this kernel does not have is left out."""
        return cls(time.monotonic(), run_delay(), _machine(), _pressure())


@dataclass(frozen=True)
class Witnessed:
    """A sample's values, and the readings before and after it.

    Around its timed parts together, where it has some.
    """

    values: dict[str, float]
    before: MachineReading
    after: MachineReading


def around(timed: TimedParts, take: Callable[[], Mapping[str, float]]) -> Witnessed:
    """Have a sample taken by ``take``, which tells ``timed`` of its parts, and witness it."""
    parts: list[MachineReading] = []
    before = MachineReading.now()
    with timed.told_to(lambda: parts.append(MachineReading.now())):
        values = dict(take())
    if not parts:
        return Witnessed(values, before, MachineReading.now())
    return Witnessed(values, *joined(list(zip(parts[::2], parts[1::2], strict=True))))


def joined(
    parts: Sequence[tuple[MachineReading, MachineReading]],
) -> tuple[MachineReading, MachineReading]:
    """Two readings between which happened what happened between those of all ``parts`` together."""
    (first, _), *_ = parts
    pressures = [
        after.pressure - before.pressure
        for before, after in parts
        if before.pressure is not None and after.pressure is not None
    ]
    return first, MachineReading(
        first.at + sum(after.at - before.at for before, after in parts),
        first.run_delay + sum(after.run_delay - before.run_delay for before, after in parts),
        {
            name: start + sum(after.machine[name] - before.machine[name] for before, after in parts)
            for name, start in first.machine.items()
        },
        first.pressure and first.pressure + sum(pressures),
    )


def between(before: MachineReading, after: MachineReading) -> dict[str, float]:
    """The shares for the time between two readings."""
    elapsed = max(after.at - before.at, 1e-9)
    spent = {name: after.machine[name] - before.machine[name] for name in after.machine}
    total = sum(spent.values())
    shares = {"run_delay": (after.run_delay - before.run_delay) / elapsed}
    if total > 0:
        shares |= {name: spent[name] / total for name in ("steal", "softirq")}
        shares["busy"] = 1 - (spent["idle"] + spent["iowait"]) / total
    if before.pressure is not None and after.pressure is not None:
        shares["cpu_pressure"] = (after.pressure - before.pressure) / elapsed
    return shares


def disturbances(shares: Mapping[str, float], duration: float) -> tuple[str, ...]:
    """Why what took ``duration`` seconds is not to be trusted, as sentences; empty if it is."""
    return tuple(
        sentence.format(shares[name])
        for name, (limit, sentence) in _THRESHOLDS.items()
        if shares.get(name, 0) > limit and shares[name] * duration > _LEAST_DELAY
    )


def _machine() -> dict[str, float]:
    first_line = Path("/proc/stat").read_text().partition("\n")[0]
    ticks = [int(field) * _TICK for field in first_line.split()[1:]]
    return dict(zip(_STAT_COLUMNS, ticks, strict=False))


def _pressure() -> float | None:
    """Seconds in which some task waited for a CPU; None where the kernel does not say."""
    try:
        some = Path("/proc/pressure/cpu").read_text().partition("\n")[0]
    except OSError:
        return None
    return int(some.rpartition("total=")[2]) / 1e6
