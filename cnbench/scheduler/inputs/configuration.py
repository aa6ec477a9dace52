"""A scheduler's profile from a KubeSchedulerConfiguration: plugins, weights and their settings.

Source: kubernetes pkg/scheduler/apis/config. What a file sets that is not modelled is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from cnbench.scheduler.errors import SchedulerInputError
from cnbench.scheduler.inputs.configured_plugins import enabled_plugins
from cnbench.scheduler.inputs.object_reader import Reader
from cnbench.scheduler.inputs.plugin_settings import plugin_settings
from cnbench.scheduler.model import checks
from cnbench.scheduler.profiles import Profile
from cnbench.scheduler.releases import parse_release

Object: TypeAlias = Mapping[str, Any]

_WHERE = "KubeSchedulerConfiguration"
_GROUP = "kubescheduler.config.k8s.io"
# The minor releases that read each version of the format.
_READ_BY = {"v1beta1": (19, 22), "v1beta2": (22, 27), "v1beta3": (23, 28), "v1": (25, 99)}
_OF_THE_PROCESS = {
    "apiVersion",
    "clientConnection",
    "delayCacheUntilActive",
    "enableContentionProfiling",
    "enableProfiling",
    "healthzBindAddress",
    "kind",
    "leaderElection",
    "metricsBindAddress",
    "parallelism",
    "podInitialBackoffSeconds",
    "podMaxBackoffSeconds",
}
_FIELDS = frozenset(_OF_THE_PROCESS | {"extenders", "percentageOfNodesToScore", "profiles"})
_PROFILE = frozenset({"percentageOfNodesToScore", "pluginConfig", "plugins", "schedulerName"})
DEFAULT_SCHEDULER = "default-scheduler"


def profile_from_dict(given: Object, release: str, scheduler_name: str = "") -> Profile:
    """The profile that a configuration gives a scheduler.

    Args:
        given: the KubeSchedulerConfiguration.
        release: the Kubernetes release that reads it.
        scheduler_name: which of several profiles; "" takes the default scheduler's, or the only
            one.

    Raises:
        SchedulerInputError: a field is malformed or misspelt, is not modelled, or the release does
            not read this version of the format.
    """
    of_release = parse_release(release)
    configuration = Reader(_WHERE, checks.a_map(given, _WHERE, "object")).among(_FIELDS)
    version = _version(configuration, of_release.minor)
    if configuration.field("extenders").value:
        raise configuration.field("extenders").problem("extenders are not modelled")
    profile = _chosen(configuration, scheduler_name).among(_PROFILE)
    settings, strategy = plugin_settings(profile.field("pluginConfig"))
    filters, weights = enabled_plugins(profile.field("plugins"), of_release, version, strategy)
    share = profile.field("percentageOfNodesToScore")
    if share.value is None:
        share = configuration.field("percentageOfNodesToScore")
    return Profile(filters, weights, settings, None if share.value is None else share.whole())


def _version(configuration: Reader, minor: int) -> str:
    kind, field = configuration.field("kind"), configuration.field("apiVersion")
    if kind.text() != _WHERE:
        raise kind.problem(f"{kind.value!r} is no {_WHERE}")
    group, _, version = field.text().partition("/")
    if group != _GROUP or version not in _READ_BY:
        known = ", ".join(f"{_GROUP}/{name}" for name in _READ_BY)
        raise field.problem(f"{field.value!r} is none of {known}")
    first, last = _READ_BY[version]
    if not first <= minor <= last:
        raise field.problem(f"Kubernetes 1.{minor} does not read {version}")
    return version


def _chosen(configuration: Reader, scheduler_name: str) -> Reader:
    profiles = configuration.field("profiles").items()
    if not profiles:
        return Reader(_WHERE, {}, "profiles[0]")
    names = [reader.field("schedulerName").text(DEFAULT_SCHEDULER) for reader in profiles]
    wanted = scheduler_name or (DEFAULT_SCHEDULER if len(names) > 1 else names[0])
    if wanted not in names:
        problem = f"none is called {wanted!r}; there are {', '.join(names)}"
        raise SchedulerInputError(_WHERE, "profiles", problem)
    return profiles[names.index(wanted)]
