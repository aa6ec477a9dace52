"""Fresh layers for one copy-up: a file that was never copied up, an empty upper layer."""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cnbench.experiments.copy_up.plain_copy import CHUNK
from cnbench.experiments.copy_up.setting import BLOCK, CopyUpSetting
from cnbench.lab.storage.filesystems import Filesystem

_NAME = "file"


@dataclass(frozen=True)
class Stage:
    """The folders of one overlay. Use ``open_stage``.

    Attributes:
        below: the folder in which the lower layers are, by number, the lowest last.
        upper: the upper layer.
        work: overlayfs' own folder beside it.
        plain: a folder of the upper file system that no overlay is made of.
        parents: the folders above the file, as a relative path.
        layers: how many lower layers there are.
    """

    below: Path
    upper: Path
    work: Path
    plain: Path
    parents: Path
    layers: int

    @property
    def file(self) -> Path:
        """The file's path, relative to any layer or to the merged folder."""
        return self.parents / _NAME

    @property
    def original(self) -> Path:
        """The file itself, in the lowest layer."""
        return self.below / str(self.layers - 1) / self.file


@contextlib.contextmanager
def open_stage(setting: CopyUpSetting, lower: Filesystem, upper: Filesystem) -> Iterator[Stage]:
    """Fresh layers for ``setting`` on the two file systems (or the one), removed on leaving."""
    below, above = lower.fresh_folder(), upper.fresh_folder()
    stage = Stage(
        below,
        above / "upper",
        above / "work",
        above / "plain",
        Path(*(f"folder-{level}" for level in range(setting.depth))),
        setting.layers,
    )
    try:
        for folder in (stage.upper, stage.work, stage.plain):
            folder.mkdir()
        for layer in range(setting.layers):
            (below / str(layer) / stage.parents).mkdir(parents=True)
        make_file(stage.original, setting.size, setting.content)
        yield stage
    finally:
        for folder in (below, above):
            shutil.rmtree(folder)
        for filesystem in (lower, upper):
            filesystem.flush()


def make_file(path: Path, size: int, content: str) -> None:
    """Make a file of ``size`` bytes and have it on the disk.

    ``data`` is random, since a file system may store what repeats in less; ``sparse`` is a hole up
    to the last block.
    """
    with path.open("xb", buffering=0) as file:
        if content == "sparse":
            file.seek(size - BLOCK)
        while file.tell() < size:
            file.write(_random_chunk()[: size - file.tell()])
        os.fsync(file.fileno())


def read_through(path: Path) -> None:
    """Have the file's name, inode and data in memory."""
    with path.open("rb", buffering=0) as file:
        buffer = bytearray(CHUNK)
        while file.readinto(buffer):
            pass


@functools.cache
def _random_chunk() -> bytes:
    return os.urandom(CHUNK)
