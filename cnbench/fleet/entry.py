"""What measures for a fleet's worker, in a process of its own.

A request or a plan comes in on stdin, and answers go out on stdout, all as lines of JSON.

The worker's process has threads, and talks over a network: nothing is measured in it. If it ends,
this one is told to stop as by Ctrl-C, takes down what it has built, and ends as well.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
from collections.abc import Callable, Mapping
from typing import Any

from cnbench.core import stopping
from cnbench.core.codec import from_plain, to_plain
from cnbench.core.errors import CnbenchError
from cnbench.core.node import this_node
from cnbench.core.run import Request
from cnbench.fleet.node_network.accounts import Account, NodeEnd, Order
from cnbench.lab import journal, libc
from cnbench.lab.machine_turn import machine_turn, own_processor
from cnbench.measuring.dispatch import measure
from cnbench.measuring.guests.messages import encode_event
from cnbench.measuring.plan import Plan
from cnbench.measuring.planning import plan_for

Say = Callable[[str], None]

INTERRUPTED = 130


def main() -> int:
    """Do what the arguments say, for the process that they name; gives the exit code."""
    verb, parent = sys.argv[1:]
    say = _sayer()
    try:
        with stopping.listening():
            libc.die_with_parent(signal.SIGTERM)
            if os.getppid() == int(parent):
                _DOES[verb](json.load(sys.stdin), say)
        return 0
    except KeyboardInterrupt:
        return INTERRUPTED
    except CnbenchError as error:
        refusal = {"kind": type(error).__name__, "message": str(error), "remedy": error.remedy}
        say(json.dumps({"refused": refusal}))
        return 0


def _sayer() -> Say:
    """What says a line to the worker; whatever else prints, says it on stderr from here on."""
    channel = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    def say(line: str) -> None:
        print(line, file=channel, flush=True)

    return say


def _offer(_: object, say: Say) -> None:
    from cnbench.fleet.offers import offer_of

    say(json.dumps({"offer": to_plain(offer_of(this_node()))}))


def _plan(request: Mapping[str, Any], say: Say) -> None:
    say(json.dumps({"plan": to_plain(plan_for(from_plain(Request, request)))}))


def _measure(plain: Mapping[str, Any], say: Say) -> None:
    plan = from_plain(Plan, plain)
    (group,) = plan.groups
    counted = group.venue.clock == "instructions"
    with (
        machine_turn(alone=not counted),
        own_processor() if counted else contextlib.nullcontext(),
    ):
        # What a worker that was killed has left behind would otherwise stay until the next run.
        journal.collect()
        measure(plan, lambda event: say(encode_event(event)), jobs=1)


def _describe(asked: Mapping[str, Any], say: Say) -> None:
    from cnbench.fleet.node_network import ends

    _say_end(say, ends.describe(asked["interface"]))


def _send(order: Mapping[str, Any], say: Say) -> None:
    from cnbench.fleet.node_network import ends

    with machine_turn(alone=True):
        _say_end(say, ends.send(from_plain(Order, order)))


def _receive(plain: Mapping[str, Any], say: Say) -> None:
    from cnbench.fleet.node_network import ends

    order = from_plain(Order, plain)
    # A machine that is both nodes has one turn, which the client takes.
    turn = contextlib.nullcontext() if order.one_machine else machine_turn(alone=True)
    with turn:
        _say_end(say, ends.receive(order))


def _say_end(say: Say, made: NodeEnd | Account) -> None:
    say(json.dumps({"end": to_plain(made)}))


_DOES: dict[str, Callable[[Any, Say], None]] = {
    "offer": _offer,
    "plan": _plan,
    "measure": _measure,
    "describe": _describe,
    "send": _send,
    "receive": _receive,
}

if __name__ == "__main__":
    sys.exit(main())
