"""The plug-in that counts what a guest's functions execute: compiled once, kept in the cache."""

from __future__ import annotations

from pathlib import Path

from cnbench.lab import commands
from cnbench.lab.guest.build import cache

_SOURCE = Path(__file__).with_name("counter.c")
_COMPILER = "cc"
_OPTIONS = ("-O2", "-shared", "-fPIC")
_OBJECT = "counter.so"


def ensure_plugin() -> Path:
    """The shared object, compiled now if it is not in the cache.

    Raises:
        UnsupportedError: there is no C compiler.
    """
    target = cache.folder() / "guest" / "plugins" / cache.digest_of(_SOURCE)[:16]
    if not target.exists():
        commands.require(_COMPILER)
        cache.ensure(target, _compile)
    return target / _OBJECT


def _compile(building: Path) -> None:
    commands.run([_COMPILER, *_OPTIONS, "-o", str(building / _OBJECT), str(_SOURCE)])
