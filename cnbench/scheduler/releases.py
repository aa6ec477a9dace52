"""What changed between Kubernetes releases in the arithmetic modelled here.

Not told apart, since the later behaviour is taken as meant for every release: BalancedAllocation
before 1.22 (1 - |f1 - f2|, 0 for a full node), MostAllocated's 0 for an overcommitted node before
1.21.3, NodeResourcesFit asking for room where 0 is requested before 1.27, and a spread constraint
with an empty (not absent) selector counting no pods between 1.27 and its correction in
kubernetes#141340. Nor is BalancedAllocation's new formula of kubernetes#135573 (2026) known.
"""

import re
from dataclasses import dataclass

from cnbench.scheduler.errors import SchedulerInputError

_RELEASE = re.compile(r"v?1\.(\d{1,2})(?:[.+-].*)?")

# kubernetes#98096: the minimum and maximum of InterPodAffinity scores are the scores' own.
_OWN_RANGE = 22
# kubernetes#103169: resources a node has none of, or a pod does not request, are left out.
_LEAVES_OUT_ABSENT = 22
# kubernetes#107384: PodTopologySpread rounds its sum to the nearest integer.
_ROUNDS = 24
# kubernetes.io, feature gates: the first release in which each is on without being asked for.
_NODE_INCLUSION_POLICIES = 26
_MIN_DOMAINS = 27
_MATCH_LABEL_KEYS = 27
# kubernetes#115587: init containers' images count too.
_INIT_IMAGES = 29
# kubernetes#130260: pods that request nothing are not balanced.
_BALANCES_REQUESTS_ONLY = 33


@dataclass(frozen=True, slots=True)
class Release:
    """A Kubernetes release.

    Attributes:
        minor: 30 for 1.30.
        affinity_from_zero: InterPodAffinity's normalisation counts 0 as a score (before 1.22).
        absent_counts: LeastAllocated and MostAllocated take a resource that the node has none of
            for one that is used up (before 1.22), instead of leaving it out of the mean.
        spread_rounds: PodTopologySpread rounds instead of truncating (since 1.24).
        node_inclusion_policies: spread constraints' nodeAffinityPolicy and nodeTaintsPolicy are
            heeded (since 1.26; before, as if Honor and Ignore).
        min_domains: their minDomains is heeded (since 1.27).
        match_label_keys: their matchLabelKeys are heeded (since 1.27).
        init_images: ImageLocality counts init containers (since 1.29).
        balances_best_effort: BalancedAllocation scores pods that request nothing (before 1.33).
    """

    minor: int

    @property
    def affinity_from_zero(self) -> bool:
        """Whether 0 counts when InterPodAffinity takes minimum and maximum."""
        return self.minor < _OWN_RANGE

    @property
    def absent_counts(self) -> bool:
        """Whether a resource that a node has none of scores 0 instead of not at all."""
        return self.minor < _LEAVES_OUT_ABSENT

    @property
    def spread_rounds(self) -> bool:
        """Whether PodTopologySpread rounds its sums."""
        return self.minor >= _ROUNDS

    @property
    def node_inclusion_policies(self) -> bool:
        """Whether a spread constraint says itself which nodes count."""
        return self.minor >= _NODE_INCLUSION_POLICIES

    @property
    def min_domains(self) -> bool:
        """Whether a spread constraint's minDomains is heeded."""
        return self.minor >= _MIN_DOMAINS

    @property
    def match_label_keys(self) -> bool:
        """Whether a spread constraint's matchLabelKeys are heeded."""
        return self.minor >= _MATCH_LABEL_KEYS

    @property
    def init_images(self) -> bool:
        """Whether ImageLocality counts the images of init containers."""
        return self.minor >= _INIT_IMAGES

    @property
    def balances_best_effort(self) -> bool:
        """Whether BalancedAllocation scores pods that request none of its resources."""
        return self.minor < _BALANCES_REQUESTS_ONLY


DEFAULT = Release(30)


def parse_release(text: str) -> Release:
    """A release from "1.30", "v1.20.2" and the like.

    Raises:
        SchedulerInputError: it is not a release of Kubernetes 1.
    """
    # A number will not do: 1.30 and 1.3 are the same one.
    match = _RELEASE.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise SchedulerInputError("scheduler", "release", f"{text!r} is not a text like '1.30'")
    return Release(int(match.group(1)))
