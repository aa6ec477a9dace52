"""What runs in a guest: the names of behaviours come in on one line, an answer goes out on each."""

from __future__ import annotations

import contextlib
import json
import sys
from contextlib import AbstractContextManager
from dataclasses import asdict

from cnbench.behaviours.observation import observe
from cnbench.behaviours.registry import all_behaviours
from cnbench.lab import commands
from cnbench.lab.host import Lab, open_lab


def main() -> None:
    """Observe what the request on stdin names, telling each before it is begun and when it ends."""
    request = json.loads(sys.stdin.readline())
    commands.never_give_up()
    with open_lab("guest", "instructions") as lab, _skipping_what_waits(lab):
        for name in request["behaviours"]:
            _tell({"begun": name})
            _tell(asdict(observe(all_behaviours()[name], lab, request["controls"])))


def _skipping_what_waits(lab: Lab) -> AbstractContextManager[None]:
    """Have the guest's clock skip to the next timer when nothing runs: no probe counts anything."""
    idler = lab.clock.idler
    return idler.running(False) if idler else contextlib.nullcontext()


def _tell(message: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
