"""A point of the copy-up grid, by its meaning."""

from __future__ import annotations

from dataclasses import dataclass

from cnbench.core.parameter import Point

# The block size of ext4, XFS and btrfs as they are made here, and of tmpfs on x86.
BLOCK = 4096

# What is asked of overlayfs for each value of the parameter ``options``, in mount(8)'s words.
MOUNT_OPTIONS: dict[str, dict[str, str]] = {
    "default": {},
    # Documentation/filesystems/overlayfs.rst: metacopy turns redirect_dir on, or is turned off.
    "metacopy": {"metacopy": "on", "redirect_dir": "on"},
    "redirect_dir": {"redirect_dir": "on"},
    "index": {"index": "on"},
    "xino": {"xino": "on"},
    "volatile": {"volatile": ""},
    "userxattr": {"userxattr": ""},
}
_EMPTYING = ("empty", "open-trunc")
_CHANGE_NO_DATA = ("chmod", "rename", "link", "setxattr")


@dataclass(frozen=True)
class CopyUpSetting:
    """What is copied up, by what, and where.

    Attributes:
        size: of the file, in bytes.
        content: ``data``, or ``sparse``: a hole with data in its last block alone.
        filesystem: of the upper layer, and of the lower ones.
        lower: ``same`` file system as the upper layer, or an``other`` of the same kind.
        driver: ``overlay`` or ``fuse-overlayfs``.
        trigger: the system call that makes the file be copied up.
        options: the option of the overlay, a key of ``MOUNT_OPTIONS``.
        cache: ``warm`` or ``cold``.
        layers: lower layers; the file is in the lowest.
        depth: folders above the file, which are copied up too.
    """

    size: int
    content: str
    filesystem: str
    lower: str
    driver: str
    trigger: str
    options: str
    cache: str
    layers: int
    depth: int

    @classmethod
    def of(cls, params: Point) -> CopyUpSetting:
        """The setting that a point of the grid describes."""
        return cls(
            size=params.whole("size"),
            content=params.text("content"),
            filesystem=params.text("filesystem"),
            lower=params.text("lower"),
            driver=params.text("driver"),
            trigger=params.text("trigger"),
            options=params.text("options"),
            cache=params.text("cache"),
            layers=params.whole("layers"),
            depth=params.whole("depth"),
        )

    @property
    def final_size(self) -> int:
        """The file's size after the trigger: truncating takes its last block off, or all."""
        if self.trigger in _EMPTYING:
            return 0
        return max(0, self.size - BLOCK) if self.trigger == "truncate" else self.size

    @property
    def final_data(self) -> int:
        """Bytes of the file after the trigger that are not a hole."""
        if self.content == "sparse":
            return BLOCK if self.final_size == self.size else 0
        return self.final_size

    @property
    def leaves_data(self) -> bool:
        """Whether the trigger needs no data copied, and the options say to leave it below."""
        return self.options == "metacopy" and self.trigger in _CHANGE_NO_DATA

    @property
    def syncs(self) -> bool:
        """Whether the overlay is to have copied data on the disk before the call returns."""
        return self.driver == "overlay" and self.options != "volatile"
