"""What the kernel says about namespaces that were made, entered and left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from cnbench.core.proof import Check, Proof, equal
from cnbench.lab.namespaces.kinds import Kind


@dataclass
class Evidence:
    """Collected over samples.

    Attributes:
        kinds: those that were asked for.
        changed: each set of kinds that got another number, by its samples.
        entered: whether the numbers were those of the namespaces that were there already.
    """

    kinds: Sequence[Kind]
    changed: set[tuple[str, ...]] = field(default_factory=set)
    entered: set[bool] = field(default_factory=set)

    def proof(self, *checks: Check) -> Proof:
        """The kernel numbers namespaces: those asked for changed in every sample, and no other."""
        wanted = {tuple(sorted(kind.name for kind in self.kinds))}
        numbered = equal("namespaces that have another number", wanted, self.changed)
        there = [equal("they have the numbers of those that were there", {True}, self.entered)]
        return Proof((numbered, *(there if self.entered else []), *checks))
