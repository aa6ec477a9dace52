"""An asv plugin: refuses to compare samples that asv's test is deaf to.

asv takes two sets of samples for different when a Mann-Whitney test's two-sided p is below 0.002.
It uses the test whenever one over the number of ways to sort them is below that, but the smallest
p is twice as much, so between the two it says "not significantly changed" of whatever it is given.
Six samples against six are such a pair, and six blocks are where our sampler may stop: a gate of
them can never ring. asv gets more (`FEWEST_SAMPLES`), and where it finds such a pair in what was
stored earlier, it says so instead of giving a verdict.

Nothing of asv is imported with the module: benchmarks ask it for the number in asv's own
environments, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

# From here on no two counts are deaf to each other: 2 / C(14, 7) = 0.0006, and it only falls;
# beyond 20 samples asv takes the normal approximation, whose limit 7 against 21 keeps by far.
FEWEST_SAMPLES = 7


@cache
def is_deaf(first: int, second: int) -> bool:
    """Whether asv cannot tell so many samples from so many, whatever they are.

    It is asked itself, about samples of which all of the first are below all of the second; their
    intervals, which it goes by where it does not trust the test, are apart as well.
    """
    from asv._stats import is_different

    below, above = [float(n) for n in range(first)], [float(first + n) for n in range(second)]
    return not _asvs_own(is_different)(below, above, _interval_of(below), _interval_of(above))


def _interval_of(samples: Sequence[float]) -> dict[str, float]:
    return {"ci_99_a": min(samples), "ci_99_b": max(samples)}


def _asvs_own(is_different: Any) -> Any:
    """The function of asv behind ours, where `setup` has been called."""
    return getattr(is_different, "__wrapped__", is_different)


def setup() -> None:
    """What asv calls when it loads a plugin."""
    from functools import wraps

    from asv import _stats
    from asv.util import UserError

    own = _asvs_own(_stats.is_different)

    @wraps(own)
    def is_different(
        samples_a: Sequence[float] | None,
        samples_b: Sequence[float] | None,
        *rest: Any,
        **more: Any,
    ) -> bool:
        if samples_a and samples_b:
            counts = tuple(sum(x == x for x in samples) for samples in (samples_a, samples_b))
            if all(counts) and is_deaf(*counts):
                raise UserError(
                    f"asv cannot tell {counts[0]} samples from {counts[1]}, however much they "
                    f"differ: measure both commits again, with at least {FEWEST_SAMPLES} samples "
                    "(asv continuous does)"
                )
        return bool(own(samples_a, samples_b, *rest, **more))

    # asv has no setting for it; checked with 0.6.6, and by tests/asv with what is installed.
    _stats.is_different = is_different
