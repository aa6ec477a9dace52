"""The system calls that make overlayfs copy a file up, each ready to be made.

Two of them empty the file: ``empty`` by truncate(2), and ``open-trunc`` by opening it with O_TRUNC.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from cnbench.experiments.copy_up.setting import CopyUpSetting

NAMES = ("open", "truncate", "empty", "open-trunc", "chmod", "rename", "link", "setxattr")

# Not in user.*, which tmpfs has only since 6.6, nor in overlayfs' own trusted.overlay.*.
_ATTRIBUTE = "trusted.cnbench"


# Gives a descriptor where it opens one, for the caller to close.
Call = Callable[[], int | None]


@dataclass(frozen=True)
class Trigger:
    """A system call on a file.

    Attributes:
        call: makes it.
        again: makes it once more, on the file as ``call`` has left it.
        afterwards: where the file is after both.
    """

    call: Call
    again: Call
    afterwards: Path


def prepare(setting: CopyUpSetting, path: Path) -> Trigger:
    """The system call of ``setting.trigger`` on ``path``."""
    # As strings: taking a Path apart would be part of what is timed.
    file, other, third = (str(path.with_name(name)) for name in (path.name, "other", "third"))
    calls: dict[str, tuple[Call, ...]] = {
        "open": (partial(os.open, file, os.O_WRONLY),),
        "truncate": (partial(os.truncate, file, setting.final_size),),
        "empty": (partial(os.truncate, file, 0),),
        "open-trunc": (partial(os.open, file, os.O_WRONLY | os.O_TRUNC),),
        "chmod": (partial(os.chmod, file, 0o640),),
        "rename": (partial(os.rename, file, other), partial(os.rename, other, third)),
        "link": (partial(os.link, file, other), partial(os.link, file, third)),
        "setxattr": (partial(os.setxattr, file, _ATTRIBUTE, b"1"),),
    }
    first, again = calls[setting.trigger][0], calls[setting.trigger][-1]
    return Trigger(first, again, Path(third) if setting.trigger == "rename" else path)
