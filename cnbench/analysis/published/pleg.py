"""Published figures on learning that a container's state has changed."""

from __future__ import annotations

from cnbench.analysis.published.figure import RATIO, Figure
from cnbench.analysis.published.ours import ratio_of

PUBLISHED = (
    Figure(
        "pleg",
        "looking when something happens over looking once a second",
        "creating a pod, 1.14 s instead of 1.80 s",
        1.14 / 1.80,
        1.14 / 1.80,
        RATIO,
        "kubernetes/kubernetes#137362 (on-demand relist, 2026)",
        ratio_of("age", {"way": "evented"}, {"way": "generic"}),
        unlike=(
            "theirs is all of a pod's creation, ours the time until a death is known",
            "theirs lists as soon as the kubelet itself has changed something, ours is told",
        ),
    ),
)
