"""The API server's most memory while 16 informers are filled, by lists over streamed lists.

    .venv/bin/python scripts/watch_list_memory.py [TRIALS [OBJECTS [SIZE [INFORMERS]]]]

Each fill is the first that a server of its own does (`cnbench control-plane build apiextensions`):
Go gives memory back late, so a second fill would show what the first took. Trials are in turn, and
lists and streams of one trial beside each other; the interval is Student's of the logarithms' mean.
"""

from __future__ import annotations

import math
import sys

from scipy import stats

from cnbench.control_plane.binaries import APIEXTENSIONS, binaries_of
from cnbench.control_plane.informers import open_informers
from cnbench.control_plane.servers.etcd import MEMORY
from cnbench.control_plane.stock import open_stock
from cnbench.core.errors import UnsupportedError
from cnbench.lab.host import Lab, open_lab

FORM = "whole"
CONFIDENCE = 0.95


def main() -> int:
    """Fill, and say what it took: the exit status."""
    given = [int(text) for text in sys.argv[1:]]
    trials, objects, size, informers = given + [5, 10_000, 1024, 16][len(given) :]
    ratios = []
    with open_lab("host", "wall") as lab:
        try:
            binaries_of(APIEXTENSIONS)
        except UnsupportedError as error:
            print(f"not measured: {error}; {error.remedy}")
            return 0
        for trial in range(trials):
            order = (False, True) if trial % 2 == 0 else (True, False)
            peaks = {way: peak(lab, objects, size, informers, way) for way in order}
            ratios.append(peaks[False] / peaks[True])
            print(f"lists {peaks[False] / 1e6:.0f} MB, streamed {peaks[True] / 1e6:.0f} MB: "
                  f"{ratios[-1]:.2f}", flush=True)  # fmt: skip
    low, middle, high = interval(ratios)
    print(f"{middle:.2f} [{low:.2f} to {high:.2f}] of {trials} trials: {informers} informers, "
          f"{objects:,} objects of {size:,} B")  # fmt: skip
    return 0


def peak(lab: Lab, objects: int, size: int, informers: int, streamed: bool) -> int:
    """The most memory of a new API server while informers are filled from it, in bytes."""
    with open_stock(lab, APIEXTENSIONS, objects, size, MEMORY) as stock:
        server, lists = stock.servers().api.daemon, stock.lists()
        with open_informers(stock.servers(), stock.kind, streamed) as program:
            server.forget_peak()
            synced = program.start(FORM, informers)
            found = server.peak_memory()
        asked = stock.lists() - lists
    if synced.objects != objects * informers or asked != (0 if streamed else informers):
        raise AssertionError(f"{synced.objects} objects came by {asked} lists")
    return found


def interval(ratios: list[float]) -> tuple[float, float, float]:
    """The geometric mean between the bounds of its interval; of one trial, no bounds."""
    logs = [math.log(ratio) for ratio in ratios]
    middle = sum(logs) / len(logs)
    if len(logs) == 1:
        return 0.0, math.exp(middle), math.inf
    low, high = stats.t.interval(CONFIDENCE, len(logs) - 1, middle, stats.sem(logs))
    return math.exp(low), math.exp(middle), math.exp(high)


if __name__ == "__main__":
    sys.exit(main())
