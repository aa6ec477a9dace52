"""Having a fleet carry out plans: groups are handed out as members have room for them.

A group is the unit. Dask's scheduler decides who measures it, and gives it to another if that one
dies: as long as what was asked for has not come in, it is somebody's. What comes in, comes once.
"""

from __future__ import annotations

import contextlib
import json
import queue
import time
import uuid
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass, field, replace
from typing import Any

from distributed import Client, Future, KilledWorker, wait

from cnbench.core.case import Group
from cnbench.core.errors import CnbenchError, UnsupportedError
from cnbench.core.run import CaseResult, Status
from cnbench.fleet import errands
from cnbench.fleet.members import Member
from cnbench.fleet.offers import Resources, needs_of
from cnbench.measuring.dispatch import knowing, part_of
from cnbench.measuring.events import CaseEnded, GroupEnded, GroupStarted, Listener, Warned
from cnbench.measuring.guests.messages import event_from_plain
from cnbench.measuring.plan import Plan

# How soon progress is passed on, and a member is noticed that has come or gone.
_SECONDS_BETWEEN_LOOKS = 0.3
# An errand whose process comes to a bad end is tried once more, as a group in a guest is.
_RETRIES = 1
_GONE = "every worker that measured it has ended before it was done"


@dataclass
class Share:
    """A plan for some members of a fleet, and who is told of it.

    Attributes:
        plan: what is measured.
        needs: resources that each of its groups takes beside its own: the name of a node, say.
        timed_needs: those that what is timed takes as well.
        listen: told everything, in the thread of the caller.
    """

    plan: Plan
    listen: Listener
    needs: Resources = field(default_factory=dict)
    timed_needs: Resources = field(default_factory=dict)


def carry_out(
    client: Client, shares: Sequence[Share], members: Callable[[], Sequence[Member]]
) -> None:
    """Have the fleet of ``client`` measure all ``shares``.

    ``members`` are those that may take part, whenever it is asked. Where none is left that could
    measure a group, it waits for one, and says so.

    Raises:
        CnbenchError: the scheduler has gone.
        KeyboardInterrupt: the user stopped it; nobody goes on measuring.
    """
    told: queue.SimpleQueue[tuple[_Lane, dict[str, Any]]] = queue.SimpleQueue()
    lanes = [_Lane(client, share, members()) for share in shares]
    for lane in lanes:
        client.subscribe_topic(lane.topic, _putting(told, lane))
    try:
        while any(not lane.is_done for lane in lanes):
            for lane in lanes:
                lane.hand_out(members())
            _wait_for_one([future for lane in lanes for future in lane.under_way])
            while not told.empty():
                lane, message = told.get()
                lane.hear(message)
            for lane in lanes:
                lane.take_in()
    except CancelledError as error:
        raise CnbenchError(
            "the scheduler has gone, and what it was asked for with it",
            "what was measured is kept; start it and the workers again, and go on with --resume",
        ) from error
    finally:
        for lane in lanes:
            client.unsubscribe_topic(lane.topic)
            client.cancel(list(lane.under_way), force=True)


def _putting(told: queue.SimpleQueue[Any], lane: _Lane) -> Callable[[tuple[float, Any]], None]:
    return lambda event: told.put((lane, event[1]))


def _wait_for_one(futures: Sequence[Future[Any]]) -> None:
    if not futures:  # nobody is there to measure; Dask would not wait at all
        time.sleep(_SECONDS_BETWEEN_LOOKS)
        return
    with contextlib.suppress(TimeoutError):
        wait(futures, timeout=_SECONDS_BETWEEN_LOOKS, return_when="FIRST_COMPLETED")


class _Lane:
    """A share that is being carried out.

    No more groups are given to the scheduler than members have room for: a group that only waits
    for its turn at a worker that dies would be taken for one that may have killed it.
    """

    def __init__(self, client: Client, share: Share, members: Sequence[Member]) -> None:
        self.topic = f"cnbench {uuid.uuid4().hex}"
        self.under_way: dict[Future[Any], Plan] = {}
        self._client = client
        self._share = share
        self._listen = knowing(share.plan, share.listen)
        self._offered = {name for member in members for name in member.resources}
        self._waiting = deque(part_of(share.plan, [group]) for group in share.plan.groups)
        # By whom each group was begun last.
        self._begun: dict[int, str] = {}
        self._waits_for_members = False

    @property
    def is_done(self) -> bool:
        """Whether all has come in."""
        return not self._waiting and not self.under_way

    def hand_out(self, members: Sequence[Member]) -> None:
        """Give the scheduler as much as ``members`` have room for."""
        able = [member for member in members if member.has(self._share.needs)]
        room = sum(member.slots for member in able) - len(self.under_way)
        for _ in range(min(max(room, 0), len(self._waiting))):
            part = self._waiting.popleft()
            self.under_way[self._submit(part)] = part
        self._say_who_is_missing(bool(able))

    def _submit(self, part: Plan) -> Future[Any]:
        return self._client.submit(
            errands.measure,
            errands.plain(part),
            self.topic,
            key=f"measure-{uuid.uuid4().hex}",
            resources=self._needs(_only(part)),
            retries=_RETRIES,
            pure=False,
        )

    def _needs(self, group: Group) -> Resources:
        timed = {} if group.venue.clock == "instructions" else self._share.timed_needs
        return needs_of(group, self._offered) | self._share.needs | timed

    def _say_who_is_missing(self, there: bool) -> None:
        if not there and not self._waits_for_members:
            which = " and ".join(self._share.needs) or "any node"
            self._share.listen(Warned(f"no worker is left ({which}); waiting for one to join"))
        self._waits_for_members = not there

    def hear(self, message: dict[str, Any]) -> None:
        """Pass on what a worker told while it measured."""
        event = event_from_plain(json.loads(message["event"]))
        if isinstance(event, GroupStarted):
            before = self._begun.get(event.number, message["worker"])
            self._begun[event.number] = message["worker"]
            if before != message["worker"]:
                self._share.listen(
                    Warned(f"{before} has ended; {message['worker']} measures its group again")
                )
        self._listen(event)

    def take_in(self) -> None:
        """Pass on the results that have come in."""
        for future in [future for future in self.under_way if future.done()]:
            part = self.under_way[future]
            for event in self._results(future, _only(part)):
                self._listen(event)
            # Only now: had the caller been stopped amid it, what it was told would be told again.
            del self.under_way[future]
            future.release()

    def _results(self, future: Future[Any], group: Group) -> list[Any]:
        try:
            return [event_from_plain(json.loads(line)) for line in future.result()]
        except KilledWorker:
            error = CnbenchError(_GONE, "look for what ended them")
        except CnbenchError as refused:
            error = refused
        return [*map(CaseEnded, _failed(group, error)), GroupEnded(group.number)]


def _failed(group: Group, error: CnbenchError) -> list[CaseResult]:
    status: Status = "unsupported" if isinstance(error, UnsupportedError) else "failed"
    result = CaseResult(group.cases[0], group.number, status, str(error), error.remedy)
    return [replace(result, case=case) for case in group.cases]


def _only(part: Plan) -> Group:
    (group,) = part.groups
    return group
