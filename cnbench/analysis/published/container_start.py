"""Published figures on what starting a container costs, by layer."""

from __future__ import annotations

from cnbench.analysis.published.figure import RATIO, Figure
from cnbench.analysis.published.ours import ratio_of, value_of

_YOUKI = "youki's README, by hyperfine"
_ALL_THREE = "create, start and delete together, one host"
_POWERTEST = "kunalkushwaha/ctr-powertest#3, averages, 2018"
_CRI, _CONTAINERD = {"runtime": "cri"}, {"runtime": "containerd-api"}

PUBLISHED = (
    Figure(
        "container-start",
        "crun over runc",
        _ALL_THREE,
        47 / 225,
        47 / 225,
        RATIO,
        _YOUKI,
        ratio_of("start", {"runtime": "crun"}, {"runtime": "runc"}),
        unlike=("ours ends at the first instruction, theirs when the container is deleted",),
    ),
    Figure(
        "container-start",
        "starting a created container over the CRI",
        "StartContainer",
        0.17,
        0.17,
        "s",
        _POWERTEST,
        value_of("launch", runtime="cri"),
        unlike=("theirs is of 2018",),
    ),
    Figure(
        "container-start",
        "the CRI over containerd alone",
        "creating and starting a container",
        (0.78 + 0.17) / (0.19 + 0.04),
        (0.78 + 0.17) / (0.19 + 0.04),
        RATIO,
        _POWERTEST,
        ratio_of("start", _CRI, _CONTAINERD),
        unlike=("theirs is of 2018",),
    ),
)
