"""Has the built API server and etcd work for an hour, and holds them to what they were asked for.

Kubernetes' source is repaired in two places before it is built (docs/control-plane.md). Objects are
written all the time, and watched: each write has to be told once to every watcher, in order, and at
the end the server has to have what was written last. The exit code is 0 if all that holds. As root.

    .venv/bin/python scripts/control_plane_soak.py [--minutes 60] [--rate 100] [--watchers 10]
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
from dataclasses import dataclass, field

from cnbench.control_plane.api.ledger import Account, account
from cnbench.control_plane.api.watcher import open_watcher
from cnbench.control_plane.binaries import KUBERNETES, SERVERS
from cnbench.control_plane.servers.etcd import MEMORY
from cnbench.control_plane.stock import Contents, Stock, open_stock, put
from cnbench.lab.host import open_lab

_OBJECTS, _SIZE = 1_000, 1_024
# An API server ends a watch by itself after half an hour or more.
_SECONDS_OF_A_WATCH = 300.0


@dataclass
class Soak:
    """What was written so far, and what became of it."""

    stock: Stock
    contents: Contents
    writes: int = 0
    told: Account = field(default_factory=Account)

    def go_on(self, rate: float, watchers: int, seconds: float) -> None:
        """Write, with watches of their own, for so long."""
        version, ends = self.stock.version(), time.monotonic() + seconds
        with contextlib.ExitStack() as opened:
            following = [
                opened.enter_context(open_watcher(self.stock.api, self.stock.kind, version))
                for _ in range(watchers)
            ]
            traffic = opened.enter_context(self.stock.writes(rate))
            opened.enter_context(traffic.following(following))
            while time.monotonic() < ends:
                written = traffic.write(round(rate), rate)
                self.writes += len(written)
                put(self.contents, written)
                for watcher in following:
                    self.told += account(written, watcher.take())

    def differing(self) -> int:
        """How many objects the server has otherwise than they were written, or not at all."""
        return len(set(self.contents.items()) ^ set(self.stock.listed()[0].items()))


def main() -> int:
    """Soak, and say what came of it: the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--rate", type=float, default=100, help="writes a second")
    parser.add_argument("--watchers", type=int, default=10)
    parser.add_argument("--server", choices=SERVERS, default=KUBERNETES)
    options = parser.parse_args()
    with (
        open_lab("host", "wall") as lab,
        open_stock(lab, options.server, _OBJECTS, _SIZE, MEMORY) as stock,
    ):
        soak, began = Soak(stock, stock.listed()[0]), time.monotonic()
        while (left := began + 60 * options.minutes - time.monotonic()) > 0:
            soak.go_on(options.rate, options.watchers, min(_SECONDS_OF_A_WATCH, left))
            print(f"{(time.monotonic() - began) / 60:.0f} min: {soak.writes:,} writes, told to"
                  f" {options.watchers} watchers: {soak.told}", flush=True)  # fmt: skip
        differing = soak.differing()
    print(f"{differing} of {_OBJECTS} objects differ from what was written last")
    return int(differing > 0 or soak.told != Account())


if __name__ == "__main__":
    sys.exit(main())
