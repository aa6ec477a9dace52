"""What can be built, where it is kept, and what is known of it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cnbench.control_plane.build import apiextensions, kubernetes
from cnbench.control_plane.build.workshop import Progress, Workshop
from cnbench.core.errors import UsageError
from cnbench.core.nearest import choose_from
from cnbench.lab.guest.build import cache

# Version by Debian package, of what went into a build.
Versions = dict[str, str]


@dataclass(frozen=True)
class Recipe:
    """How programs are built that belong together.

    Attributes:
        name: as written on the command line.
        suite: the Debian suite it is built from.
        programs: what comes out, etcd beside it.
        make: builds them into a folder, which it is given.
        sources: files of our own that are compiled; where one changes, it is built anew.
        edition: a larger number has every machine build anew.
    """

    name: str
    suite: str
    programs: tuple[str, ...]
    make: Callable[[Workshop, Path], Versions]
    sources: tuple[Path, ...] = ()
    edition: int = 1


KUBERNETES = Recipe("kubernetes-1.20", kubernetes.SUITE, kubernetes.PROGRAMS, kubernetes.make)
APIEXTENSIONS = Recipe(
    "apiextensions", apiextensions.SUITE, apiextensions.PROGRAMS, apiextensions.make,
    tuple(apiextensions.OWN.values()),
)  # fmt: skip
RECIPES = {recipe.name: recipe for recipe in (KUBERNETES, APIEXTENSIONS)}


@dataclass(frozen=True)
class Built:
    """Programs that are in the cache.

    Attributes:
        recipe: what they were built by.
        folder: where they are.
        versions: of the packages that they were built from, by name.
        digests: SHA-256 of each program, by name.
        seconds: how long the build took.
    """

    recipe: Recipe
    folder: Path
    versions: Versions
    digests: dict[str, str]
    seconds: float


def recipe_called(name: str) -> Recipe:
    """The recipe called ``name``; raises UsageError where there is none."""
    if name not in RECIPES:
        raise UsageError(f"'{name}' cannot be built", choose_from(name, RECIPES))
    return RECIPES[name]


def built(recipe: Recipe) -> Built | None:
    """What was built by ``recipe`` before, and this user may read, or None; nothing is fetched.

    Raises:
        UnsupportedError: another user could have put it there.
    """
    where = _place(recipe)
    try:
        facts = json.loads((where / "facts.json").read_text())
    except (FileNotFoundError, PermissionError):
        return None
    return Built(recipe, where / "bin", facts["versions"], facts["digests"], facts["seconds"])


def ensure(recipe: Recipe, say: Progress, rebuild: bool = False) -> Built:
    """What ``recipe`` makes, built now where it is not there or ``rebuild`` is asked for.

    Raises:
        GuestError: the mirror cannot be reached, or none is configured.
        UnsupportedError: a tool that builds is not installed.
        CnbenchError: something does not compile.
    """
    if rebuild or built(recipe) is None:
        with cache.publishing(_place(recipe)) as building:
            _build(recipe, building, say)
    found = built(recipe)
    assert found is not None  # noqa: S101  publishing has just put it there
    return found


def _build(recipe: Recipe, building: Path, say: Progress) -> None:
    began = time.monotonic()
    programs, work = building / "bin", building / "work"
    work.mkdir()
    versions = recipe.make(Workshop(work, recipe.suite, say), programs)
    cache.remove(work)  # gigabytes, and nobody needs them again
    digests = {path.name: cache.digest_of(path) for path in sorted(programs.iterdir())}
    seconds = round(time.monotonic() - began, 1)
    facts = {"versions": versions, "digests": digests, "seconds": seconds}
    (building / "facts.json").write_text(json.dumps(facts, indent=1))


def _place(recipe: Recipe) -> Path:
    own = (path.read_text() for path in recipe.sources)
    digest = cache.text_digest(recipe.suite, *recipe.programs, str(recipe.edition), *own)
    return cache.folder() / "control-plane" / f"{recipe.name}-{digest[:12]}"
