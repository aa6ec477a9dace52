"""What runs in a guest: a plan comes in on one line, events go out on one line each.

The guest is a machine like any other here, so the lab is the host's own, under another name.
"""

from __future__ import annotations

import json
import os
import select
import sys
from dataclasses import dataclass

from cnbench.core.codec import from_plain
from cnbench.core.venue import Venue
from cnbench.experiments.registry import experiment_called
from cnbench.lab import commands
from cnbench.lab.guest import cgroup_v1
from cnbench.lab.guest.agent import ROOM
from cnbench.lab.guest.agent.per_cpu import give_room
from cnbench.lab.host import open_lab
from cnbench.measuring import fingerprint
from cnbench.measuring.events import EnvironmentFound, Event, GroupReady
from cnbench.measuring.guests.messages import encode_event
from cnbench.measuring.plan import Plan
from cnbench.measuring.session import carry_out

_CHUNK = 1 << 16


@dataclass(frozen=True)
class Assignment:
    """A plan for a guest, and what the guest cannot know of itself.

    ``pauses``: once a group is set up, it waits for a line from the host, which may save the guest
    as it is then.
    """

    plan: Plan
    venue: Venue
    image: str
    pauses: bool = False


def main() -> None:
    """Carry out the assignment on stdin, telling every event on stdout."""
    assignment = from_plain(Assignment, json.loads(_read_line(sys.stdin.fileno())))
    venue = assignment.venue
    if venue.clock == "instructions":
        commands.never_give_up()
    if venue.cgroup == "v1":
        cgroup_v1.mount()
    with open_lab(venue.lab, venue.clock) as lab:
        environment = fingerprint.take(lab, assignment.image)
        _tell(EnvironmentFound(environment))
        tell = _tell_and_pause if assignment.pauses else _tell

        def tell_with_room(event: Event) -> None:
            if isinstance(event, GroupReady) and ROOM in os.environ:
                with lab.clock.undisturbed():
                    give_room(int(os.environ.pop(ROOM)))
            tell(event)

        carry_out(assignment.plan, experiment_called, lab, environment.digest, tell_with_room)


def _read_line(port: int) -> bytes:
    """The one line that comes in on ``port``, asked for again and again as the agent does.

    A guest on the instruction clock that slept until the host has sent it would live through
    minutes of its own meanwhile.
    """
    poller = select.poll()
    poller.register(port, select.POLLIN)
    line = b""
    while not line.endswith(b"\n"):
        while not poller.poll(0):
            pass
        line += os.read(port, _CHUNK)
    return line


def _tell(event: Event) -> None:
    sys.stdout.write(encode_event(event) + "\n")
    sys.stdout.flush()


def _tell_and_pause(event: Event) -> None:
    _tell(event)
    if isinstance(event, GroupReady):
        _read_line(sys.stdin.fileno())


if __name__ == "__main__":
    main()
