"""The members of a fleet: workers of one scheduler, as it tells of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cnbench.core.errors import UnsupportedError
from cnbench.fleet.offers import Resources, of_code


@dataclass(frozen=True)
class Member:
    """A worker: what it is called, how many groups it takes at once, and its resources."""

    name: str
    slots: int
    resources: Resources

    def has(self, needs: Mapping[str, float]) -> bool:
        """Whether it could measure what takes ``needs``, once it is at rest."""
        return all(self.resources.get(name, 0.0) >= amount for name, amount in needs.items())

    def named(self, kind: str) -> str:
        """Its resource whose name begins with ``kind`` and a space; empty where it has none."""
        return next((name for name in self.resources if name.startswith(f"{kind} ")), "")

    @property
    def node(self) -> str:
        """The machine that it is on; empty for a worker that is none of cnbench's."""
        return self.named("node").removeprefix("node ")


def members_of(scheduler_info: Mapping[str, Any]) -> list[Member]:
    """All workers of a scheduler's description of itself, by name."""
    workers = scheduler_info["workers"].values()
    found = (Member(str(w["name"]), w["nthreads"], dict(w.get("resources", {}))) for w in workers)
    return sorted(found, key=lambda member: member.name)


def of_code_alone(members: Iterable[Member], digest: str) -> list[Member]:
    """Those whose cnbench is the one with ``digest``."""
    return [member for member in members if of_code(digest) in member.resources]


def why_none(members: Sequence[Member], digest: str) -> UnsupportedError:
    """Why none of ``members`` has the cnbench with ``digest``."""
    if not members:
        return UnsupportedError(
            "the scheduler has no worker", "start one on each machine: cnbench fleet worker ADDRESS"
        )
    others = ", ".join(f"{m.name} ({m.named('cnbench') or 'none'})" for m in members[:5])
    return UnsupportedError(
        f"no worker has this cnbench ({digest}), but {others}",
        "install the same version everywhere: what two versions measure are two things",
    )


def nodes(members: Iterable[Member]) -> list[str]:
    """The machines of ``members``, each once, by name."""
    return sorted({member.node for member in members})


def commonest_environment(members: Sequence[Member]) -> str:
    """The resource of the environment that most machines have; of equals, the first by name."""
    has = {(m.node, m.named("environment")) for m in members}
    counted = Counter(environment for _, environment in has)
    return min(counted, key=lambda name: (-counted[name], name))
