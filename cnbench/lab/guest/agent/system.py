"""Asking the kernel and its tools: what every other part does."""

from __future__ import annotations

import ctypes
import os
import subprocess
from pathlib import Path

from . import ON_INSTRUCTION_CLOCK

MS_RDONLY = 1


def counts_instructions() -> bool:
    """Whether the guest's clock is the number of instructions it has executed."""
    return ON_INSTRUCTION_CLOCK in Path("/proc/cmdline").read_text()


def tool(*argv: str, said: str = "") -> str:
    """What a tool prints, to which ``said`` is told on its standard input."""
    done = subprocess.run(argv, check=False, input=said, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip() or f"{argv[0]} exited with {done.returncode}")
    return done.stdout


def mount(source: str, target: str, filesystem: str, flags: int = 0, options: str = "") -> None:
    """Mount a file system.

    Raises:
        RuntimeError: the kernel refuses, with its reason.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    arguments = (source.encode(), target.encode(), filesystem.encode())
    if libc.mount(*arguments, flags, options.encode()) != 0:
        raise RuntimeError(f"mounting {source} on {target}: {os.strerror(ctypes.get_errno())}")
