"""What others would say of the same data: pyperf, asv, apache-otava, ruptures."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from importlib.util import find_spec

import numpy as np
from evidence.models import Floats

Test = Callable[[Floats, Floats], bool]
Seek = Callable[[Floats, float], list[int]]


def pyperf(a: Floats, b: Floats) -> bool:
    """Student's t-test on two samples, as `pyperf compare_to` calls it."""
    from pyperf._utils import is_significant

    return bool(is_significant(a.tolist(), b.tolist())[0])


def asv(a: Floats, b: Floats) -> bool:
    """The Mann-Whitney test at 0.002, as `asv continuous` calls it (without its factor)."""
    from asv._stats import is_different
    from asv_runner.statistics import compute_stats

    of_a, of_b = (compute_stats(side.tolist(), 1)[1] for side in (a, b))
    return bool(is_different(a.tolist(), b.tolist(), of_a, of_b))


def asv_steps(levels: Floats, noise: float) -> list[int]:
    """Asv's step fit, as its pages draw it."""
    from asv.step_detect import detect_steps

    return [start for start, *_ in detect_steps(levels.tolist())][1:]


def otava(levels: Floats, noise: float) -> list[int]:
    """E-divisive with Student's t, as `otava analyze` finds its change points."""
    from otava.analysis import compute_change_points

    found, _ = compute_change_points(levels.tolist())
    return [point.index for point in found]


def ruptures(levels: Floats, noise: float) -> list[int]:
    """PELT on squares, jump and min_size 1, with BIC's penalty at the true noise, told to it."""
    import ruptures as rpt

    found = rpt.Pelt(model="l2", jump=1, min_size=1).fit(levels.reshape(-1, 1))
    places: list[int] = found.predict(pen=2 * noise**2 * np.log(levels.size))
    return places[:-1]


TESTS: Mapping[str, Test] = {"pyperf": pyperf, "asv": asv}


def seekers() -> dict[str, Seek]:
    """Those that are installed here; `make evidence` installs them all."""
    logging.getLogger().setLevel(logging.ERROR)
    known: dict[str, Seek] = {"asv": asv_steps, "ruptures": ruptures, "otava": otava}
    return {name: seek for name, seek in known.items() if find_spec(name)}
