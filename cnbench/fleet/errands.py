"""What Dask's scheduler has a worker do; each errand is carried out by a process of its own."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import IO, Any, cast

from distributed import Worker, get_worker

from cnbench.core.codec import from_plain, to_plain
from cnbench.core.errors import CnbenchError, UnsupportedError, UsageError
from cnbench.core.run import Request
from cnbench.fleet.node_network.accounts import Order
from cnbench.fleet.offers import Offer
from cnbench.measuring.plan import Plan

_MODULE = "cnbench.fleet.entry"
# How soon a worker notices that nobody wants what it measures any more.
_SECONDS_BETWEEN_LOOKS = 0.5
# A guest's blocks may take milliseconds: a network is told of some of them.
_SECONDS_BETWEEN_TELLINGS = 0.2
_SECONDS_TO_STOP = 60
# Told once the group is measured, since all of it is kept or nothing.
_KEPT = ("EnvironmentFound", "Captured", "CaseEnded", "GroupEnded")
_OFTEN = ("BlockEnded", "WorkAdvanced")
_REFUSALS = {kind.__name__: kind for kind in (UnsupportedError, UsageError)}


def offer() -> Offer:
    """What this machine can measure.

    Raises:
        CnbenchError: no lab can be opened on it.
    """
    return from_plain(Offer, _only_answer("offer", None)["offer"])


def plan(request: dict[str, Any]) -> dict[str, Any]:
    """The plan for a (plain) ``request`` on this machine.

    Raises:
        CnbenchError: what was asked for makes no sense, or nothing can measure it.
    """
    made: dict[str, Any] = _only_answer("plan", request)["plan"]
    return made


def measure(part: dict[str, Any], topic: str) -> list[str]:
    """Measure a (plain) plan of one group: the events to be kept, as lines of JSON.

    All others go to ``topic`` as they happen, with the worker's name. The errand is given up where
    the scheduler does not want it any more: whoever asked has stopped, or has gone.

    Raises:
        CnbenchError: it could not be measured here, or its process came to a bad end.
    """
    worker = get_worker()
    kept: list[str] = []
    told = 0.0
    with _lines("measure", part, _wanted_by(worker)) as lines:
        for line in lines:
            kind = json.loads(line)["event"]
            if kind in _KEPT:
                kept.append(line)
                continue
            now = time.monotonic()
            if kind not in _OFTEN or now - told >= _SECONDS_BETWEEN_TELLINGS:
                told = now
                worker.log_event(topic, {"worker": str(worker.name), "event": line})
    return kept


def node_network(verb: str, what: dict[str, Any]) -> dict[str, Any]:
    """Do what ``node_network`` has at an end (``describe``, ``send`` or ``receive``), in plain.

    It is given up as ``measure`` is.

    Raises:
        CnbenchError: it cannot be done here, or its process came to a bad end.
    """
    made: dict[str, Any] = _only_answer(verb, what, _wanted_by(get_worker()))["end"]
    return made


def plain(value: Request | Plan | Order) -> dict[str, Any]:
    """``value`` as errands take it."""
    made: dict[str, Any] = to_plain(value)
    return made


def _wanted_by(worker: Worker) -> Callable[[], bool]:
    """Whether what ``worker`` does in this thread is wanted yet."""
    key = worker.get_current_task()

    def wanted() -> bool:
        task = worker.state.tasks.get(key)
        return worker.status.name in ("running", "paused") and getattr(task, "state", "") in (
            "executing",
            "long-running",
        )

    return wanted


def _only_answer(
    verb: str, what: object, wanted: Callable[[], bool] = lambda: True
) -> dict[str, Any]:
    with _lines(verb, what, wanted) as lines:
        (answer,) = map(json.loads, lines)
    found: dict[str, Any] = answer
    return found


@contextlib.contextmanager
def _lines(verb: str, what: object, wanted: Callable[[], bool]) -> Iterator[Iterator[str]]:
    """What the process says that does ``verb``; it is stopped once it is not ``wanted``.

    Raises:
        CnbenchError: it refuses, or came to a bad end before it was done.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", _MODULE, verb, str(os.getpid())],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        # A terminal's Ctrl-C is for the worker, which stops this one.
        process_group=0,
    )
    said = cast(IO[str], process.stdout)
    done = threading.Event()
    watch = threading.Thread(target=_stop_unless, args=(wanted, done, process), daemon=True)
    watch.start()
    try:
        with contextlib.suppress(BrokenPipeError), cast(IO[str], process.stdin) as stdin:
            json.dump(what, stdin)
        yield _unless_refused(said)
        if status := process.wait():
            raise CnbenchError(f"the process that measured has ended with {status}")
    finally:
        done.set()
        watch.join()
        _stop(process)
        said.close()


def _unless_refused(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        if '"refused"' in line[:12]:
            refusal = json.loads(line)["refused"]
            kind = _REFUSALS.get(refusal["kind"], CnbenchError)
            raise kind(refusal["message"], refusal["remedy"])
        yield line.rstrip("\n")


def _stop_unless(
    wanted: Callable[[], bool], done: threading.Event, process: subprocess.Popen[str]
) -> None:
    while not done.wait(_SECONDS_BETWEEN_LOOKS):
        if not wanted():
            _stop(process)
            return


def _stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(_SECONDS_TO_STOP)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
