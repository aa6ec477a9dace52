"""What runs in a guest: the names of behaviours come in on one line, an answer goes out on each."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

from cnbench.behaviours.observation import observe
from cnbench.behaviours.registry import all_behaviours
from cnbench.lab import commands
from cnbench.lab.host import open_lab
from cnbench.lab.idler import open_idler


def main() -> None:
    """Observe what the request on stdin names, telling each before it is begun and when it ends."""
    request = json.loads(sys.stdin.readline())
    commands.never_give_up()
    # No probe counts anything: where all wait, the guest's clock may skip to the next timer, until
    # the lab is closed, which waits for the kernel to forget groups and namespaces.
    with open_idler() as idler, idler.running(False), open_lab("guest", "wall") as lab:
        for name in request["behaviours"]:
            _tell({"begun": name})
            _tell(asdict(observe(all_behaviours()[name], lab, request["controls"])))


def _tell(message: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
