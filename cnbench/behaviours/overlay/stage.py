"""An overlay of a probe's own, on a tmpfs of its own."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cnbench.lab.host import Lab


@dataclass(frozen=True)
class Stage:
    """The folders of an overlay; it is mounted on ``merged``. Use ``open_overlay``."""

    lower: Path
    upper: Path
    work: Path
    merged: Path

    @property
    def layers(self) -> str:
        """What mount calls its folders."""
        return f"lowerdir={self.lower},upperdir={self.upper},workdir={self.work}"

    @contextlib.contextmanager
    def mounted(self, lab: Lab, options: str = "") -> Iterator[None]:
        """Have the overlay mounted, with ``options`` beside its layers."""
        with lab.mount(
            "none", self.merged, "overlay", ",".join(filter(None, [self.layers, options]))
        ):
            yield


@contextlib.contextmanager
def open_stage(lab: Lab, upper_options: str = "") -> Iterator[Stage]:
    """Empty layers, the upper one on a tmpfs of its own with ``upper_options``; none mounted."""
    with (
        lab.mount("none", lab.temporary_folder(), "tmpfs") as below,
        lab.mount("none", lab.temporary_folder(), "tmpfs", upper_options) as above,
    ):
        stage = Stage(below / "lower", above / "upper", above / "work", below / "merged")
        for folder in (stage.lower, stage.upper, stage.work, stage.merged):
            folder.mkdir()
        yield stage


@contextlib.contextmanager
def open_overlay(
    lab: Lab,
    options: str = "",
    fill: Callable[[Path], object] = lambda lower: None,
    upper_options: str = "",
) -> Iterator[Stage]:
    """A mounted overlay; ``fill`` puts into the lower layer what is to be there."""
    with open_stage(lab, upper_options) as stage:
        fill(stage.lower)
        with stage.mounted(lab, options):
            yield stage
