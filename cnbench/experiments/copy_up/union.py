"""A union of layers mounted by overlayfs or by fuse-overlayfs, and the options it really has."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from cnbench.core.errors import UnsupportedError
from cnbench.experiments.copy_up.setting import MOUNT_OPTIONS, CopyUpSetting
from cnbench.experiments.copy_up.stage import Stage
from cnbench.lab import commands
from cnbench.lab.host import Lab
from cnbench.lab.processes import check_alive, running
from cnbench.lab.resources import Resource
from cnbench.lab.storage import mounts
from cnbench.lab.storage.filesystems import require_mountable
from cnbench.lab.waiting import wait_until

_MODULE = Path("/sys/module/overlay/parameters")
_PATIENCE = 10.0


def require_driver(driver: str) -> None:
    """Raise UnsupportedError where ``driver`` cannot be used."""
    require_mountable("overlay" if driver == "overlay" else "fuse")
    if driver == "fuse-overlayfs":
        commands.require(driver)
        if not Path("/dev/fuse").exists():
            raise UnsupportedError(
                "this machine has no /dev/fuse", "modprobe fuse, or use the guest lab: --lab guest"
            )


@contextlib.contextmanager
def open_union(lab: Lab, setting: CopyUpSetting, stage: Stage, target: Path) -> Iterator[Path]:
    """The layers of ``stage`` as one, on the folder ``target``.

    Raises:
        UnsupportedError: the kernel refuses an option, or dropped it without a word.
    """
    opener = _fuse if setting.driver == "fuse-overlayfs" else _overlay
    with opener(lab, setting, stage, target):
        yield target


@contextlib.contextmanager
def _overlay(lab: Lab, setting: CopyUpSetting, stage: Stage, target: Path) -> Iterator[None]:
    layers = ":".join(map(str, range(stage.layers)))
    folders = f"lowerdir={layers},upperdir={stage.upper},workdir={stage.work}"
    words = [f"{name}={value}" if value else name for name, value in _asked(setting).items()]
    with lab.journal.owning(Resource("mount", str(target))):
        # mount(2) takes one page of options; a hundred layers fit as relative paths alone.
        with contextlib.chdir(stage.below):
            mounts.mount("overlay", target, "overlay", ",".join([folders, *words]))
        found = effective_options(target)
        dropped = [f"{k}={v}" for k, v in _asked(setting).items() if found.get(k) != v]
        if dropped:
            raise UnsupportedError(
                f"overlayfs dropped {', '.join(dropped)} on {setting.filesystem}: "
                f"it mounted with {described(found)}",
                "`dmesg` says why; use another file system or kernel",
            )
        yield


@contextlib.contextmanager
def _fuse(lab: Lab, setting: CopyUpSetting, stage: Stage, target: Path) -> Iterator[None]:
    layers = ":".join(str(stage.below / str(layer)) for layer in range(stage.layers))
    argv = [
        "fuse-overlayfs",
        "-f",
        "-o",
        f"lowerdir={layers},upperdir={stage.upper},workdir={stage.work}",
        str(target),
    ]
    with lab.journal.owning(Resource("mount", str(target))), running(argv) as process:
        wait_until(
            lambda: mounts.is_mounted(target),
            "fuse-overlayfs had mounted nothing",
            within=_PATIENCE,
            every=0.001,
            meanwhile=lambda: check_alive(argv, process),
        )
        try:
            yield
        finally:
            # Before the process is killed: it ends by itself once its mount is gone.
            mounts.unmount(target)


def effective_options(target: Path) -> dict[str, str]:
    """The options that ``target``'s overlay has, those of the kernel's own default included.

    /proc/mounts shows only what differs from the module's defaults (``ovl_show_options``).
    """
    shown = mounts.mount_options(target)
    if shown.get("fsync") == "volatile":  # as newer kernels write it
        shown["volatile"] = ""
    ours = {name: value for name, value in shown.items() if name in _names()}
    return {**default_options(), **ours}


def default_options(folder: Path = _MODULE) -> dict[str, str]:
    """What overlayfs does where nothing is asked of it, from its module's parameters."""
    switches = {"metacopy": "metacopy", "redirect_dir": "redirect_dir", "index": "index"}
    found = {
        name: {"Y": "on", "N": "off"}[(folder / parameter).read_text().strip()]
        for name, parameter in switches.items()
        if (folder / parameter).exists()
    }
    automatic = folder / "xino_auto"
    if automatic.exists():
        found["xino"] = "auto" if automatic.read_text().strip() == "Y" else "off"
    return found


def described(options: Mapping[str, str]) -> str:
    """``options`` as in /proc/mounts."""
    return ",".join(f"{name}={value}" if value else name for name, value in options.items())


def _asked(setting: CopyUpSetting) -> dict[str, str]:
    return MOUNT_OPTIONS[setting.options]


def _names() -> set[str]:
    return {name for options in MOUNT_OPTIONS.values() for name in options}
