"""What became of every first packet: which took its way, and which was discarded or kept apart."""

from __future__ import annotations

from dataclasses import dataclass

from cnbench.core.proof import Check
from cnbench.experiments.service_routing.paths import Way
from cnbench.probes.first_packet import Conversations, Reply

# More than this is another experiment than the one that was asked for.
_MOST = 0.01


@dataclass
class PacketLedger:
    """What the first packets of one case have come to so far.

    Attributes:
        way: that they were to take.
        begun: how many there were.
        missed: those discarded, since they took another way, or one of their batch did.
        sent_again: those that were lost once; their times are kept out.
        ports_in_use: source ports that were skipped because they were taken.
    """

    way: Way
    begun: int = 0
    missed: int = 0
    sent_again: int = 0
    ports_in_use: int = 0

    def enter(self, batch: Conversations, moved: int) -> list[Reply]:
        """Enter a batch during which the rules have counted ``moved``; give what took the way.

        Who answers tells one reply from another, the counters only that all is well or not: so
        where they do not fit, the whole batch is discarded.
        """
        self.begun += len(batch.replies)
        self.ports_in_use += batch.ports_in_use
        good = [r for r in batch.replies if r.answered_by in self.way.leads_to[r.target]]
        if moved != self.way.due(len(good)):
            good = []
        missed = len(batch.replies) - len(good)
        self.missed += missed
        self.sent_again += sum(reply.sent_again for reply in good)
        self.way.record((reply.answered_by for reply in good), missed)
        return good

    def checks(self) -> list[Check]:
        """All that is known of the first packets so far."""
        return [
            self._few("first packets that missed their way, discarded", self.missed),
            self._few("first packets sent again after a second, kept apart", self.sent_again),
            self._few("source ports that were taken, skipped", self.ports_in_use),
            *self.way.checks(),
        ]

    def _few(self, claim: str, count: int) -> Check:
        return Check(
            claim,
            f"at most {_MOST:.0%}",
            f"{count} of {self.begun}",
            count <= _MOST * self.begun,
        )
