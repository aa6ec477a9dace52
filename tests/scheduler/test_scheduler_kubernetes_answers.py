"""Kubernetes' own answers, release by release: see answers/README.md."""

import kubernetes_answers
import pytest

from cnbench.scheduler import Scheduler, cluster_from_dicts, pod_from_dict, spread_selector_for
from cnbench.scheduler.plugins import SCORES
from cnbench.scheduler.profiles import Profile, default_profile
from cnbench.scheduler.releases import parse_release
from cnbench.scheduler.settings import Settings

# (release, case): why the answer here is another. There is none.
EXCEPTIONS: dict[tuple[str, str], str] = {}
KINDS = sorted(
    {(r, case.kind) for r in kubernetes_answers.releases() for case in kubernetes_answers.read(r)}
)


def alike(expected, found):
    """The same scores, or on both sides one score for all."""
    return expected == found or (len(set(expected)) <= 1 and len(set(found)) <= 1)


def disagreements(case, release):
    """What is answered otherwise here, as (plugin, expected, found)."""
    cluster, _ = cluster_from_dicts(
        case.nodes, case.pods, case.services, kubernetes_answers.NAMESPACES, case.owners
    )
    options = {"resource_weights": case.weights, "hard_pod_affinity_weight": case.hard}
    system = Scheduler(cluster, release, scores=SCORES, **options)
    defaults = default_profile(parse_release(release))
    without = Profile(defaults.filters, defaults.weights, Settings(default_constraints=()))
    own = Scheduler(cluster, release, profile=without, scores=SCORES, **options)
    found = []
    for answer in case.answers:
        pod = pod_from_dict(answer.pod, spread_selector_for(answer.pod, case.services, case.owners))
        verdicts = system.filter(pod).by_plugin
        for plugin, expected in answer.filters.items():
            here = "".join("01"[verdict] for verdict in verdicts[plugin].tolist())
            if here != expected:
                found.append((f"filter {plugin}", expected, here))
        for key, expected in answer.scores.items():
            plugin, _, constraints = key.partition(":")
            scores = (own if constraints == "own" else system).score(pod, answer.feasible())
            raw, normalised = scores.raw[plugin].tolist(), scores.normalised[plugin].tolist()
            if not alike(expected[-1], normalised):
                found.append((f"score {key}", expected[-1], normalised))
            if expected[0] != raw and plugin not in answer.skipped:
                found.append((f"raw {key}", expected[0], raw))
    return found


@pytest.mark.parametrize(("release", "kind"), KINDS)
def test_every_answer_is_kubernetes_own(release, kind):
    wrong = {
        case.name: found
        for case in kubernetes_answers.read(release)
        if case.kind == kind and (release, case.name) not in EXCEPTIONS
        if (found := disagreements(case, release))
    }
    assert not wrong


def test_no_case_is_left_out():
    counts = {r: len(kubernetes_answers.read(r)) for r in kubernetes_answers.releases()}
    assert counts == {"1.20.2": 136, "1.24.17": 143, "1.30.10": 158, "1.35.7": 174}


@pytest.mark.parametrize(
    ("release", "asked_as", "kind"),
    [
        ("1.20.2", "1.24", "balanced-most-1.20"),
        ("1.20.2", "1.24", "topology-spread-filter-1.20"),
        ("1.20.2", "1.30", "zero-requests"),
        ("1.24.17", "1.22", "system-spread"),
        ("1.24.17", "1.30", "image-locality-init"),
        ("1.30.10", "1.32", "placed-sidecars"),
        ("1.35.7", "1.32", "resize-status"),
        ("1.35.7", "1.33", "pod-level-resources"),
    ],
)
def test_another_releases_answers_differ(release, asked_as, kind):
    # What a release changed shows in these cases: asked as of another, they disagree.
    cases = [case for case in kubernetes_answers.read(release) if case.kind == kind]
    assert any(disagreements(case, asked_as) for case in cases)
