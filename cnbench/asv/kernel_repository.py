"""A git repository whose commits are kernel releases, for asv, which plots cost over commits."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time
from pathlib import Path

from cnbench.core.kernels.release import KernelRelease
from cnbench.lab import commands

BRANCH = "kernels"

# Neither a template, a hook nor a signature of the user's has a place in it.
_NO_SETTINGS = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
# Much that a release may be called by is not allowed in a tag (git-check-ref-format).
_NOT_IN_A_TAG = re.compile(r"[^A-Za-z0-9._+-]|\.(?=\.|lock$|$)")


def write_repository(folder: Path, releases: Sequence[KernelRelease]) -> dict[str, str]:
    """Make a bare repository in ``folder`` with one empty commit a release, in the order given.

    Each is dated with the day its kernel was built (midnight UTC), tagged with its release, and the
    child of the one before. The same releases make the same commits, byte for byte.

    Returns:
        The commit of each release, by the release's name.

    Raises:
        UnsupportedError: git is not installed.
        CommandError: git failed; it says why.
    """
    _git("init", "--quiet", "--bare", f"--initial-branch={BRANCH}", "--template=", str(folder))
    _git(f"--git-dir={folder}", "fast-import", "--quiet", input="".join(_stream(releases)))
    tags = [f"refs/tags/{_tag(release)}" for release in releases]
    commits = _git(f"--git-dir={folder}", "rev-parse", *tags).split()
    return {release.name: commit for release, commit in zip(releases, commits, strict=True)}


def seconds_of(release: KernelRelease) -> int:
    """The time of a release's commit, in seconds since 1970."""
    return int(datetime.combine(release.built, time(), UTC).timestamp())


def _stream(releases: Sequence[KernelRelease]) -> Iterator[str]:
    """What git-fast-import(1) reads; lengths are in bytes."""
    for mark, release in enumerate(releases, start=1):
        message = f"Linux {release.name}\n\n{release.description}\n"
        yield f"commit refs/heads/{BRANCH}\nmark :{mark}\n"
        yield f"committer cnbench <cnbench> {seconds_of(release)} +0000\n"
        yield f"data {len(message.encode())}\n{message}\n"
        yield f"reset refs/tags/{_tag(release)}\nfrom :{mark}\n\n"


def _tag(release: KernelRelease) -> str:
    return _NOT_IN_A_TAG.sub("-", release.name)


def _git(*arguments: str, input: str | None = None) -> str:
    return commands.run(["git", *arguments], input=input, environment=_NO_SETTINGS).stdout
