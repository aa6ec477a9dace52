"""What changed between Kubernetes releases in what is modelled here, from 1.20 to 1.36.

A minor release stands for all of its patch releases. Where a correction was carried back to some of
them, it counts from the minor release that had it from the start; the exception is 1.22, which is
taken as of 1.22.4 (kubernetes#105845: BalancedAllocation counts requests without defaults). So 1.20
and 1.21 are 1.20.0 and 1.21.0 in what kubernetes#102925 changed (overcommitted nodes in
MostAllocated and BalancedAllocation), and 1.20 to 1.22 in what kubernetes#105046 did (nodes without
a zone under the system's spread constraints).

A spread constraint with an empty (not absent) selector counts all pods in every release here;
between 1.27 and its correction in kubernetes#141340 Kubernetes counts none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from cnbench.scheduler.errors import SchedulerInputError

_RELEASE = re.compile(r"v?1\.(\d{1,2})(?:[.+-].*)?")

OLDEST, NEWEST = 20, 36

# kubernetes#98096: the minimum and maximum of InterPodAffinity scores are the scores' own.
_OWN_RANGE = 22
# kubernetes#103169: resources a node has none of, or a pod does not request, are left out.
_LEAVES_OUT_ABSENT = 22
# kubernetes#101946: the standard deviation of all resources' fractions; #105845: of the requests.
_BALANCES_BY_DEVIATION = 22
# kubernetes#102925: a node whose pods need more than it has counts as full, not as empty.
_OVERCOMMITTED_IS_FULL = 22
# kubernetes#105046: the system's constraints score nodes that lack a label, too.
_SPREADS_WITHOUT_ZONE = 23
# kubernetes#107384: PodTopologySpread rounds its sum to the nearest integer.
_ROUNDS = 24
# kubernetes#107009: pods on nodes that the pod's node affinity excludes are not counted.
_COUNTS_ADMITTED_ONLY = 24
# kubernetes.io, feature gates: the first release in which each is on without being asked for.
_NODE_INCLUSION_POLICIES = 26
_MIN_DOMAINS = 27
_MATCH_LABEL_KEYS = 27
_SCHEDULING_GATES = 27
SIDECARS = 29
RESIZE_STATUS = 33
POD_LEVEL_RESOURCES = 34
# Scores add a pod's overhead in the resource's own unit (before, a millicpu for each core begun).
OVERHEAD_IN_MILLICPU = 27
# What is requested with 0 is not asked of the node (noderesources/fit.go, fitsRequest).
_ZERO_ASKS_NOTHING = 28
# kubernetes#115587: init containers' images count too.
_INIT_IMAGES = 30
# A placed pod's default requests are summed over its sidecars (framework/types.go; the greatest
# counted before).
SUMS_SIDECARS = 32
# kubernetes#130231: image volumes count (to the bytes there, not yet to the number of images).
_IMAGE_VOLUMES = 33
# kubernetes#130260: pods that request nothing are not balanced.
_BALANCES_REQUESTS_ONLY = 33
# kubernetes#135573: BalancedAllocation scores what the pod changes.
_BALANCES_CHANGE = 36
# kubernetes#104251: what users prefer weighs more (default profile of v1beta3).
_PREFERENCES_WEIGH_MORE = 23
# The plugin was taken out; from 1.20 on no default profile has it.
_WITHOUT_SELECTOR_SPREAD = 29


@dataclass(frozen=True, slots=True)
class KubernetesRelease:
    """A Kubernetes release; each property says whether it has a change.

    Attributes:
        minor: 30 for 1.30.
    """

    minor: int

    def __str__(self) -> str:
        return f"1.{self.minor}"

    @property
    def affinity_from_zero(self) -> bool:
        """Whether 0 counts when InterPodAffinity takes minimum and maximum (before 1.22)."""
        return self.minor < _OWN_RANGE

    @property
    def absent_counts(self) -> bool:
        """Whether a resource that a node has none of scores 0 (before 1.22), not at all since."""
        return self.minor < _LEAVES_OUT_ABSENT

    @property
    def balances_by_difference(self) -> bool:
        """Whether BalancedAllocation takes the difference of cpu and memory (before 1.22)."""
        return self.minor < _BALANCES_BY_DEVIATION

    @property
    def balances_best_effort(self) -> bool:
        """Whether BalancedAllocation scores pods that request nothing (before 1.33)."""
        return self.minor < _BALANCES_REQUESTS_ONLY

    @property
    def balances_change(self) -> bool:
        """Whether BalancedAllocation compares the node with and without the pod (since 1.36)."""
        return self.minor >= _BALANCES_CHANGE

    @property
    def overcommitted_is_empty(self) -> bool:
        """Whether MostAllocated gives 0 for what is used beyond capacity (before 1.22)."""
        return self.minor < _OVERCOMMITTED_IS_FULL

    @property
    def zero_asks(self) -> bool:
        """Whether 0 of a resource is too much for an overcommitted node (before 1.28)."""
        return self.minor < _ZERO_ASKS_NOTHING

    @property
    def spreads_without_zone(self) -> bool:
        """Whether the system's spread constraints score nodes without a label (since 1.23)."""
        return self.minor >= _SPREADS_WITHOUT_ZONE

    @property
    def spread_rounds(self) -> bool:
        """Whether PodTopologySpread rounds its sums (since 1.24) instead of cutting them off."""
        return self.minor >= _ROUNDS

    @property
    def counts_excluded_nodes(self) -> bool:
        """Whether the spread filter counts pods on nodes that node affinity excludes.

        Before 1.24, in the domains that have an admitted node.
        """
        return self.minor < _COUNTS_ADMITTED_ONLY

    @property
    def node_inclusion_policies(self) -> bool:
        """Whether a spread constraint says itself which nodes count (since 1.26)."""
        return self.minor >= _NODE_INCLUSION_POLICIES

    @property
    def min_domains(self) -> bool:
        """Whether a spread constraint's minDomains is heeded (since 1.27)."""
        return self.minor >= _MIN_DOMAINS

    @property
    def match_label_keys(self) -> bool:
        """Whether a spread constraint's matchLabelKeys are heeded (since 1.27)."""
        return self.minor >= _MATCH_LABEL_KEYS

    @property
    def scheduling_gates(self) -> bool:
        """Whether a pod waits for its scheduling gates (since 1.27)."""
        return self.minor >= _SCHEDULING_GATES

    @property
    def init_images(self) -> bool:
        """Whether ImageLocality counts the images of init containers (since 1.30)."""
        return self.minor >= _INIT_IMAGES

    @property
    def image_volumes(self) -> bool:
        """Whether ImageLocality counts the images of volumes (since 1.33)."""
        return self.minor >= _IMAGE_VOLUMES

    @property
    def preferences_weigh_more(self) -> bool:
        """Whether what users prefer has a weight above 1 by default (since 1.23)."""
        return self.minor >= _PREFERENCES_WEIGH_MORE

    @property
    def has_selector_spread(self) -> bool:
        """Whether SelectorSpread can be configured (up to 1.28)."""
        return self.minor < _WITHOUT_SELECTOR_SPREAD


DEFAULT = KubernetesRelease(30)


def parse_release(text: str) -> KubernetesRelease:
    """A release from "1.30", "v1.20.2" and the like.

    Raises:
        SchedulerInputError: it is not a release of Kubernetes from 1.20 to 1.36.
    """
    # A number will not do: 1.30 and 1.3 are the same one.
    match = _RELEASE.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise SchedulerInputError("scheduler", "release", f"{text!r} is not a text like '1.30'")
    minor = int(match.group(1))
    if not OLDEST <= minor <= NEWEST:
        known = f"the releases known are 1.{OLDEST} to 1.{NEWEST}"
        raise SchedulerInputError("scheduler", "release", f"{text!r} is not known here; {known}")
    return KubernetesRelease(minor)
