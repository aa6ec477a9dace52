"""iperf3 by the experiment over iperf3 by hand, in turns in the same namespaces: a ratio a line.

    .venv/bin/python scripts/iperf3_side_by_side.py BACKEND LIMIT PAIRS

LIMIT is in bytes a second, 0 for none. `network_known_answers.py` runs it on the host, where
other processes take from both, and in a guest on the instruction clock, where nobody does.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator

from cnbench.experiments.pod_network import EXPERIMENT
from cnbench.experiments.pod_network.subject import Iperf3Subject, open_subject
from cnbench.lab.host import open_lab

SIZE = 65536
# A server that has not ended the last test refuses the next one.
SERVER_ENDS = 0.2


def side_by_side(backend: str, limit: int, pairs: int) -> Iterator[float]:
    """The ratio of each pair of streams."""
    given = {"backend": (backend,), "traffic": ("tcp-stream",), "load": ("iperf3",)}
    params = EXPERIMENT.grid(full=False, given={**given, "size": (SIZE,), "rate": (limit,)})[0]
    with open_lab("host", "wall") as lab:
        EXPERIMENT.require(params, lab)
        with open_subject(params, lab) as subject:
            if not isinstance(subject, Iperf3Subject):
                raise TypeError("load=iperf3 did not give an iperf3 subject")
            yield from _ratios(subject, pairs)


def _ratios(subject: Iperf3Subject, pairs: int) -> Iterator[float]:
    near, far = subject.totals.path.ends
    receiver, sender = subject.iperf3.cpus
    argv = ["iperf3", "-J", "-c", far.address, "-t", "1", "-l", str(SIZE), "-C", "cubic"]
    argv += ["-A", f"{sender},{receiver}"]

    def ours() -> float:
        return subject.sample()["throughput"]

    def theirs() -> float:
        time.sleep(SERVER_ENDS)
        report = json.loads(near.namespace.run(argv).stdout)
        return float(report["end"]["sum_received"]["bits_per_second"]) / 8

    ours()  # spends what a limit's bucket was born with
    for pair in range(pairs):
        first, second = (ours, theirs) if pair % 2 else (theirs, ours)
        throughput = {first: first(), second: second()}
        yield throughput[ours] / throughput[theirs]


if __name__ == "__main__":
    for ratio in side_by_side(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])):
        print(ratio, flush=True)
