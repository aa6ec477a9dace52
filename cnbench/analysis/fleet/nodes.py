"""The nodes that runs are of, and what is known of each beside its results."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from cnbench.core.errors import UsageError
from cnbench.core.fingerprint import Fingerprint
from cnbench.core.run import Run

FEWEST_NODES = 2


@dataclass(frozen=True)
class Node:
    """One machine among others.

    Attributes:
        name: as its run files say; of an older file, which does not, the file's.
        runs: what was measured on it, oldest first.
        is_one: what it was bought and booted as, by name: hardware, kernel, guest image.
        has: what it is set to and what it measures with, by name: all else of its fingerprints.
    """

    name: str
    runs: tuple[Run, ...]
    is_one: Mapping[str, str]
    has: Mapping[str, str]

    @property
    def facts(self) -> dict[str, str]:
        """All of that."""
        return {**self.is_one, **self.has}


def nodes_of(runs: Iterable[tuple[Path, Run]]) -> list[Node]:
    """The nodes of run files, by name.

    Raises:
        UsageError: they are of fewer than two.
    """
    by_name: dict[str, list[Run]] = {}
    for path, run in runs:
        by_name.setdefault(run.node or path.stem, []).append(run)
    if len(by_name) < FEWEST_NODES:
        raise UsageError(
            f"a fleet has two nodes at least; these runs are of {', '.join(by_name) or 'none'}",
            "name the run files of several, or a folder that has them",
        )
    return [_node(name, by_name[name]) for name in sorted(by_name)]


def _node(name: str, runs: list[Run]) -> Node:
    runs.sort(key=lambda run: run.started)
    environments = [found for run in runs for found in run.fingerprints.values()]
    is_one = dict(each for environment in environments for each in _bought(environment))
    has = dict(each for environment in environments for each in _set(environment))
    return Node(name, tuple(runs), is_one, has)


def _bought(environment: Fingerprint) -> Iterator[tuple[str, str]]:
    where = _where(environment)
    yield f"{where}kernel", environment.kernel
    for name, value in environment.machine.items():
        yield f"{where}{name}", value
    if environment.image:
        yield f"{where}image", environment.image


def _set(environment: Fingerprint) -> Iterator[tuple[str, str]]:
    where = _where(environment)
    for name, value in (*environment.behaviour.items(), *environment.tools.items()):
        yield f"{where}{name}", value


def _where(environment: Fingerprint) -> str:
    return "guest's " if environment.lab == "guest" else ""
