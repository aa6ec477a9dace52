"""The system calls that make overlayfs copy a file up, each ready to be made."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from pathlib import Path

from cnbench.experiments.copy_up.setting import Setting

NAMES = ("open", "truncate", "chmod", "rename", "link", "setxattr")

# Not in user.*, which tmpfs has only since 6.6, nor in overlayfs' own trusted.overlay.*.
_ATTRIBUTE = "trusted.cnbench"


def prepare(setting: Setting, path: Path) -> tuple[Callable[[], int | None], Path]:
    """The one system call of ``setting.trigger`` on ``path``, and where the file is afterwards.

    The call gives a descriptor where it opens one, for the caller to close.
    """
    file, beside = str(path), str(path.with_name("other"))
    calls: dict[str, Callable[[], int | None]] = {
        "open": functools.partial(os.open, file, os.O_WRONLY),
        "truncate": functools.partial(os.truncate, file, setting.final_size),
        "chmod": functools.partial(os.chmod, file, 0o640),
        "rename": functools.partial(os.rename, file, beside),
        "link": functools.partial(os.link, file, beside),
        "setxattr": functools.partial(os.setxattr, file, _ATTRIBUTE, b"1"),
    }
    return calls[setting.trigger], Path(beside) if setting.trigger == "rename" else path
