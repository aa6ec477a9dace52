"""What became of every first packet: which took its way, and which was discarded or kept apart."""

from __future__ import annotations

from dataclasses import dataclass, field

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
        missed: those discarded, since they took another way, or one did that was counted with them.
        sent_again: those that were lost once; their times are kept out.
        ports_in_use: source ports that were skipped because they were taken.
    """

    way: Way
    begun: int = 0
    missed: int = 0
    sent_again: int = 0
    ports_in_use: int = 0
    _open: list[Reply] = field(default_factory=list)

    def enter(self, batch: Conversations) -> list[Reply]:
        """Enter a batch; give what took the way, by who answered."""
        self.begun += len(batch.replies)
        self.ports_in_use += batch.ports_in_use
        good = [r for r in batch.replies if r.answered_by in self.way.leads_to[r.target]]
        self._miss(len(batch.replies) - len(good))
        self._open += good
        self.way.account.enter(self.way.due(reply.target for reply in good))
        return good

    def settle(self) -> bool:
        """Whether the rules have counted what was entered since this was last asked.

        Who answers tells one reply from another, the counters only that all is well or not: so
        where they do not fit, all of it is discarded.
        """
        entered, self._open = self._open, []
        agrees = self.way.account.agrees()
        if agrees:
            self.sent_again += sum(reply.sent_again for reply in entered)
            self.way.record((reply.answered_by for reply in entered), 0)
        else:
            self._miss(len(entered))
        return agrees

    def _miss(self, count: int) -> None:
        self.missed += count
        self.way.record((), count)

    def checks(self) -> list[Check]:
        """All that is known of the first packets so far."""
        if self._open:
            self.settle()
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
