"""What changed between Kubernetes releases in the arithmetic modelled here."""

import re
from dataclasses import dataclass

from cnbench.scheduler.errors import SchedulerInputError

_RELEASE = re.compile(r"^v?1\.(\d{1,2})(?:\..*)?$")

# kubernetes#98096: the minimum and maximum of InterPodAffinity scores are the scores' own.
_OWN_RANGE = 22
# kubernetes#107384: PodTopologySpread rounds its sum to the nearest integer.
_ROUNDS = 24


@dataclass(frozen=True, slots=True)
class Release:
    """A Kubernetes release.

    Attributes:
        minor: 30 for 1.30.
        affinity_from_zero: InterPodAffinity's normalisation counts 0 as a score (before 1.22).
        spread_rounds: PodTopologySpread rounds instead of truncating (since 1.24).
    """

    minor: int

    @property
    def affinity_from_zero(self) -> bool:
        """Whether 0 counts when InterPodAffinity takes minimum and maximum."""
        return self.minor < _OWN_RANGE

    @property
    def spread_rounds(self) -> bool:
        """Whether PodTopologySpread rounds its sums."""
        return self.minor >= _ROUNDS


def parse_release(text: str) -> Release:
    """A release from "1.30", "v1.20.2" and the like.

    Raises:
        SchedulerInputError: it is not a release of Kubernetes 1.
    """
    match = _RELEASE.match(str(text))
    if match is None:
        raise SchedulerInputError("scheduler", "release", f"{text!r} is not like '1.30'")
    return Release(int(match.group(1)))
