"""copy-up's parameters, and which points of their grid are worth a run.

A full run varies one thing at a time from the common case (a file of data, layers on one file
system, opened for writing, warm): all values of everything with each other would take weeks.
"""

from __future__ import annotations

from collections.abc import Callable

from cnbench.core.parameter import Parameter, Params, Point, Value
from cnbench.experiments.copy_up import triggers
from cnbench.experiments.copy_up.setting import BLOCK, MOUNT_OPTIONS

_KIB, _MIB, _GIB = 2**10, 2**20, 2**30
_COMMON: Params = {
    "content": "data",
    "lower": "same",
    "driver": "overlay",
    "trigger": "open",
    "options": "default",
    "cache": "warm",
    "layers": 1,
    "depth": 0,
}
_LARGEST_QUICK = 16 * _MIB
# Where what is varied does not depend on the size, the first is enough; else also the others.
_FEW_SIZES = (4 * _KIB, _MIB, 64 * _MIB)


def _varied(
    name: str, values: tuple[Value, ...], sizes: tuple[int, ...] = _FEW_SIZES
) -> Callable[[Point], tuple[Value, ...]]:
    """``values`` where the parameters so far are common ones and the size is in ``sizes``."""

    def choose(so_far: Point) -> tuple[Value, ...]:
        common = all(so_far[other] == _COMMON[other] for other in _COMMON if other in so_far)
        return values if common and so_far["size"] in sizes else (_COMMON[name],)

    return choose


def _quick_triggers(so_far: Point) -> tuple[Value, ...]:
    """Two that need the data or do not; and two ways to empty a file, where copying it shows."""
    two = ("open", "chmod")
    copies = so_far["filesystem"] == "ext4" and so_far["size"] == _LARGEST_QUICK
    return (*two, "empty", "open-trunc") if copies else two


def _quick_options(so_far: Point) -> tuple[Value, ...]:
    """Where metacopy makes a difference: opening for writing needs the data at once."""
    return ("metacopy",) if so_far["trigger"] == "chmod" else ("default",)


def _full_options(so_far: Point) -> tuple[Value, ...]:
    if so_far["trigger"] == "chmod":
        return ("default", "metacopy")
    if so_far["lower"] == "other":
        return _varied("options", ("default", "xino"))(so_far | {"lower": "same"})
    return _varied("options", tuple(name for name in MOUNT_OPTIONS if name != "xino"))(so_far)


def _full_layers(so_far: Point) -> tuple[Value, ...]:
    """Many where names are looked up anew: warm, the layers are not asked again."""
    warm = so_far | {"cache": "warm"}
    return _varied("layers", (1, 10, 100), sizes=(4 * _KIB,))(warm)


def nonsense(params: Point) -> str:
    """Why a point is left out, or the empty text."""
    if params["filesystem"] == "tmpfs" and params["cache"] == "cold":
        return "tmpfs is memory: it is never cold"
    if params["content"] == "sparse" and params.whole("size") < 2 * BLOCK:
        return "a sparse file needs a block of hole and a block of data"
    if params["options"] == "xino" and params["lower"] == "same":
        return "xino is about inode numbers of several file systems; add -p lower=other"
    if params["driver"] != "overlay" and params["options"] != "default":
        return "the options are those of the kernel's overlay"
    return ""


PARAMETERS = (
    Parameter(
        "filesystem",
        "what the layers are on",
        quick=("ext4", "xfs", "btrfs", "tmpfs"),
        full=("ext4", "xfs", "btrfs", "tmpfs"),
        choices=("ext4", "xfs", "btrfs", "tmpfs"),
    ),
    Parameter(
        "size",
        "of the file",
        quick=(0, 4 * _KIB, _MIB, _LARGEST_QUICK),
        full=(0, 4 * _KIB, 64 * _KIB, _MIB, 16 * _MIB, 64 * _MIB, 256 * _MIB, _GIB),
        unit="B",
        whole=True,
        maximum=64 * _GIB,
    ),
    Parameter(
        "content",
        "what the file holds; sparse is a hole up to its last block",
        quick=("data",),
        full=_varied("content", ("data", "sparse"), sizes=(_MIB, 64 * _MIB, _GIB)),
        choices=("data", "sparse"),
    ),
    Parameter(
        "lower",
        "whether the lower layer is on the upper one's file system or on another of its kind",
        quick=("same",),
        full=_varied("lower", ("same", "other")),
        choices=("same", "other"),
    ),
    Parameter(
        "driver",
        "what makes the layers one",
        quick=("overlay",),
        full=_varied("driver", ("overlay", "fuse-overlayfs")),
        choices=("overlay", "fuse-overlayfs"),
    ),
    Parameter(
        "trigger",
        "the call that changes the file",
        quick=_quick_triggers,
        full=_varied("trigger", triggers.NAMES),
        choices=triggers.NAMES,
    ),
    Parameter(
        "options",
        "the overlay's mount option",
        quick=_quick_options,
        full=_full_options,
        choices=tuple(MOUNT_OPTIONS),
    ),
    Parameter(
        "cache",
        "whether names, inodes and data are in memory before",
        quick=("warm",),
        full=_varied("cache", ("warm", "cold")),
        choices=("warm", "cold"),
    ),
    Parameter(
        "layers",
        "lower layers; the file is in the lowest",
        quick=(1,),
        full=_full_layers,
        whole=True,
        minimum=1,
        maximum=500,
    ),
    Parameter(
        "depth",
        "folders above the file, which are copied up too",
        quick=(0,),
        full=_varied("depth", (0, 1, 4, 16), sizes=(4 * _KIB,)),
        whole=True,
        maximum=200,
    ),
)
