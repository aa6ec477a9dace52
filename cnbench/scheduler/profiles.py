"""What a scheduler runs: its filters, its scores with their weights, and their settings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from cnbench.scheduler.errors import SchedulerInputError
from cnbench.scheduler.model import checks
from cnbench.scheduler.plugins import FIELD_FILTERS, FILTERS, filter_name, score_name
from cnbench.scheduler.releases import KubernetesRelease
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


def default_weights(release: KubernetesRelease) -> dict[str, int]:
    """The scores that run by default, and their weights."""
    return {**_WEIGHTS, **(_SINCE_1_23 if release.preferences_weigh_more else {})}


def default_profile(release: KubernetesRelease) -> Profile:
    """What a release runs without a configuration."""
    return Profile((*FILTERS, *FIELD_FILTERS), default_weights(release))


def overridden(
    profile: Profile,
    release: KubernetesRelease,
    *,
    filters: Iterable[str] | None,
    scores: Iterable[str] | None,
    weights: Mapping[str, int],
    hard_pod_affinity_weight: int | None,
    resource_weights: Mapping[str, int] | None,
) -> Profile:
    """A profile with what a caller gives in place of it; None leaves it as it is.

    Args:
        profile: the profile.
        release: the release, whose default weights go to scores that the profile does not run.
        filters: the filters, by today's or legacy names.
        scores: the scores.
        weights: weights that differ.
        hard_pod_affinity_weight: see `Settings`.
        resource_weights: what LeastAllocated, MostAllocated and BalancedAllocation look at.

    Raises:
        SchedulerInputError: an unknown plugin, or a weight out of range.
    """
    changed = {score_name(name): weight for name, weight in weights.items()}
    for name, weight in changed.items():
        check_range(f"weights.{name}", weight, 0, 2**31 - 1)
    known = {**default_weights(release), **profile.weights, **changed}
    return Profile(
        _named("filters", filters, profile.filters, filter_name),
        {
            name: known.get(name, 1)
            for name in _named("scores", scores, profile.weights, score_name)
        },
        _settings(profile.settings, hard_pod_affinity_weight, resource_weights),
        profile.percentage_of_nodes_to_score,
    )


def _named(
    field: str, given: Iterable[str] | None, default: Iterable[str], resolve: Callable[[str], str]
) -> tuple[str, ...]:
    names = tuple(default) if given is None else checks.listed(given)
    checks.texts(names, "scheduler", field)
    return tuple(dict.fromkeys(map(resolve, names)))


def _settings(
    settings: Settings, hard_weight: int | None, resources: Mapping[str, int] | None
) -> Settings:
    """The profile's settings with what was given in their place."""
    changes: dict[str, object] = {}
    if hard_weight is not None:
        check_range("hard_pod_affinity_weight", hard_weight, 0, 100)
        changes["hard_pod_affinity_weight"] = hard_weight
    if resources is not None:
        for name, weight in resources.items():
            check_range(f"resource_weights.{name}", weight, 1, 100)
        changes["resources"] = changes["balanced_resources"] = tuple(resources.items())
    return replace(settings, **changes) if changes else settings  # type: ignore[arg-type]


def check_range(field: str, value: int, least: int, most: int) -> None:
    """Hold that a setting of a scheduler is within its limits.

    Raises:
        SchedulerInputError: it is no integer, or outside of them.
    """
    if type(value) is not int or not least <= value <= most:
        problem = f"{value!r} must be an integer from {least} to {most}"
        raise SchedulerInputError("scheduler", field, problem)
