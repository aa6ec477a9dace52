"""What a scheduler runs: its filters, its scores with their weights, and their settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cnbench.scheduler.plugins import FIELD_FILTERS, FILTERS
from cnbench.scheduler.releases import Release
from cnbench.scheduler.settings import Settings

# Source: kubernetes pkg/scheduler/algorithmprovider/registry.go (1.20 to 1.22) and
# apis/config/v1beta3/default_plugins.go (since 1.23). SelectorSpread is in none of them: from 1.20
# on PodTopologySpread's default constraints do its work.
_WEIGHTS = {
    "LeastAllocated": 1,
    "BalancedAllocation": 1,
    "PodTopologySpread": 2,
    "NodeAffinity": 1,
    "TaintToleration": 1,
    "ImageLocality": 1,
    "InterPodAffinity": 1,
}
_SINCE_1_23 = {"NodeAffinity": 2, "TaintToleration": 3, "InterPodAffinity": 2}


@dataclass(frozen=True)
class Profile:
    """What one scheduler runs.

    Attributes:
        filters: the filters, by today's names.
        weights: the scores and their weights, by today's names.
        settings: the settings of both.
        percentage_of_nodes_to_score: how many feasible nodes are looked for; None leaves it to
            whoever runs the profile.
    """

    filters: tuple[str, ...]
    weights: Mapping[str, int]
    settings: Settings = field(default_factory=Settings)
    percentage_of_nodes_to_score: int | None = None


def default_weights(release: Release) -> dict[str, int]:
    """The scores that run by default, and their weights."""
    return {**_WEIGHTS, **(_SINCE_1_23 if release.preferences_weigh_more else {})}


def default_profile(release: Release) -> Profile:
    """What a release runs without a configuration."""
    return Profile((*FILTERS, *FIELD_FILTERS), default_weights(release))
