"""What can be found out about a repository, so that nobody is asked."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path

from cnbench.core.errors import CnbenchError, CommandError, UsageError
from cnbench.core.run import Request
from cnbench.lab import commands
from cnbench.measuring.own_services import EXPERIMENT, with_services_of

_SUFFIXES = (".yaml", ".yml", ".json")
_OF_SERVICES = re.compile(rb"""["']?kind["']?\s*:\s*["']?(?:EndpointSlice|List)""")
# A dump of a large cluster has some megabytes; what is larger is no manifest.
_MOST_BYTES = 64 << 20
_BRANCH = "main"


@dataclass(frozen=True)
class Found:
    """What there is.

    Attributes:
        project: the repository's name.
        branch: the one that changes are made to.
        services: the file of services that is measured, seen from the repository's root.
        which: what is in it, in a few words.
        requirement: what pip installs to have this cnbench.
    """

    project: str
    branch: str
    services: str
    which: str
    requirement: str


def find(root: Path, services: str, requirement: str) -> Found:
    """What is in the repository at ``root``; what is given is not looked for.

    Raises:
        UsageError: it is no git repository, or nothing in it can be measured.
    """
    if not (root / ".git").exists():
        raise UsageError(f"{root} is not the root of a git repository", "git init, or name it")
    file, which = _services_given(root, services) if services else _services_in(root)
    return Found(
        project=root.resolve().name,
        branch=_branch_of(root),
        services=file,
        which=which,
        requirement=requirement or _this_cnbench(),
    )


def _services_given(root: Path, services: str) -> tuple[str, str]:
    path = Path(services)
    path = path if path.is_absolute() else root / path
    if not path.resolve().is_relative_to(root.resolve()):
        raise UsageError(f"{services} is not in {root}", "name a file of the repository")
    _, which = _about(path)
    return str(path.resolve().relative_to(root.resolve())), which


def _services_in(root: Path) -> tuple[str, str]:
    """Of the files that services can be measured of, the one with most of them."""
    measurable = []
    for name in _tracked(root):
        if _may_have_services(root / name):
            try:
                measurable.append((*_about(root / name), name))
            except CnbenchError:
                continue
    if not measurable:
        raise UsageError(
            f"no file in {root} has Services with their EndpointSlices to be measured",
            "kubectl get services,endpointslices -A -o yaml > services.yaml",
        )
    _, which, name = max(measurable, key=lambda about: about[0])
    return name, which


def _about(path: Path) -> tuple[int, str]:
    """How many services a file has, and what is in it."""
    request = Request((EXPERIMENT,), False, {EXPERIMENT: {}}, "auto", "auto", None, 1)
    about, which = with_services_of(path, request)
    (count,) = about.given[EXPERIMENT]["services"]
    return int(count), which


def _may_have_services(path: Path) -> bool:
    if path.suffix not in _SUFFIXES or not path.is_file() or path.is_symlink():
        return False
    if path.stat().st_size > _MOST_BYTES:
        return False
    return bool(_OF_SERVICES.search(path.read_bytes()))


def _tracked(root: Path) -> Iterator[str]:
    """The files that are in the repository, or would be after `git add`."""
    listed = _git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    yield from (name for name in listed.split("\0") if name)


def _branch_of(root: Path) -> str:
    """The remote's first branch, else the current one."""
    for question in (
        ("symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD"),
        ("symbolic-ref", "--quiet", "--short", "HEAD"),
    ):
        try:
            return _git(root, *question).strip().removeprefix("origin/")
        except CommandError:
            continue
    return _BRANCH


def _git(root: Path, *arguments: str) -> str:
    commands.require("git")
    return commands.run(["git", "-C", str(root), *arguments]).stdout


def _this_cnbench() -> str:
    """What pip installed here: this version, or where it was told to take it from (PEP 610).

    A folder of this machine is no place for another one to install from.
    """
    here = distribution("cnbench")
    told = json.loads(here.read_text("direct_url.json") or "{}")
    vcs = told.get("vcs_info")
    if vcs:
        return f"cnbench @ {vcs['vcs']}+{told['url']}@{vcs['commit_id']}"
    return f"cnbench=={here.version}"
