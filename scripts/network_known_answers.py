"""Hold pod-network against answers that are known beforehand; exits with 1 if one is missed.

    .venv/bin/python scripts/network_known_answers.py [host|guest]

Three things are known without measuring: under a rate limit goodput is the limit times the
payload's share of the bytes on the wire; a delay each way makes a round trip longer by twice as
much; and iperf3 run by hand in the same namespaces delivers what iperf3 run by the experiment does.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Iterator

from cnbench.core.errors import UnsupportedError
from cnbench.core.parameter import Params
from cnbench.experiments.pod_network import EXPERIMENT
from cnbench.experiments.pod_network.subjects import Iperf3Subject, open_subject
from cnbench.lab.host import Lab, open_lab
from cnbench.measure.stop_rule import half_width
from cnbench.network.backend import backend_called
from cnbench.probes.packets import expected_bytes

BACKENDS = ("none", "host-gw", "vxlan", "ipip", "bgp")
RATE = 1e6
DELAY = 1e-3
PAIRS = 15
# A server that has not ended the last test refuses the next one.
_SERVER_ENDS = 0.2

# What it is, measured, by how much that is uncertain, expected, and the tolerance as a share.
Answer = tuple[str, float, float, float, float]


def point(**wanted: str | int | float) -> Params:
    """The quick point of the experiment that has the ``wanted`` values."""
    return EXPERIMENT.grid(full=False, given={name: (v,) for name, v in wanted.items()})[0]


def under_a_rate_limit(lab: Lab, backend: str) -> Answer:
    """Goodput over the limit times the payload's share; every packet is cut to the MTU."""
    params = point(backend=backend, traffic="tcp-stream", offloads="off", rate=RATE, messages=15)
    EXPERIMENT.require(params, lab)
    size = int(params["size"])
    overhead = backend_called(backend).encapsulation(0).overhead
    share = size / expected_bytes(size, "tcp", int(params["mtu"]) - overhead, overhead)
    with open_subject(params, lab) as subject:
        subject.sample()  # spends what the bucket was born with
        goodputs = [subject.sample()["throughput"] for _ in range(7)]
    what = f"goodput under a limit of 8 Mbit/s, {backend}"
    return what, *_median(goodputs), RATE * share, 0.01


def with_a_delay(lab: Lab, backend: str) -> Answer:
    """By how much a delay each way makes a round trip longer."""
    latencies = []
    for delay in (0.0, DELAY):
        params = point(backend=backend, traffic="tcp-rr", delay=delay, messages=100)
        EXPERIMENT.require(params, lab)
        with open_subject(params, lab) as subject:
            latencies.append(_median([subject.sample()["latency"] for _ in range(7)]))
    (short, one), (long, other) = latencies
    what = f"round trip longer by, with 1 ms each way, {backend}"
    return what, long - short, one + other, 2 * DELAY, 0.02


def by_hand(lab: Lab, backend: str) -> Answer:
    """iperf3 by the experiment over iperf3 by hand, in turns in the same namespaces."""
    params = point(backend=backend, traffic="tcp-stream", load="iperf3")
    EXPERIMENT.require(params, lab)
    ratios = []
    with open_subject(params, lab) as subject:
        if not isinstance(subject, Iperf3Subject):
            raise TypeError("load=iperf3 did not give an iperf3 subject")
        near, far = subject.account.path.ends
        receiver, sender = subject.iperf3.cpus
        argv = [
            "iperf3",
            "-J",
            "-c",
            far.address,
            "-t",
            "1",
            "-l",
            str(params["size"]),
            "-C",
            "cubic",
        ]
        argv += ["-A", f"{sender},{receiver}"]

        def ours() -> float:
            return subject.sample()["throughput"]

        def theirs() -> float:
            time.sleep(_SERVER_ENDS)
            report = json.loads(near.namespace.run(argv).stdout)
            return float(report["end"]["sum_received"]["bits_per_second"]) / 8

        for pair in range(PAIRS):
            first, second = (ours, theirs) if pair % 2 else (theirs, ours)
            throughput = {first: first(), second: second()}
            ratios.append(throughput[ours] / throughput[theirs])
    return f"iperf3 by cnbench over by hand, {backend}", *_median(ratios), 1.0, 0.01


def _median(values: list[float]) -> tuple[float, float]:
    """The median, and half the width of its interval of 95 %."""
    return statistics.median(values), half_width(values)


def answers(lab: Lab) -> Iterator[Answer | UnsupportedError]:
    """Each answer, or why it cannot be had here."""
    for check in (under_a_rate_limit, with_a_delay, by_hand):
        for backend in BACKENDS:
            try:
                yield check(lab, backend)
            except UnsupportedError as error:
                yield error


def main() -> int:
    """Print measured and expected side by side."""
    missed = 0
    with open_lab(sys.argv[1] if len(sys.argv) > 1 else "host", "wall") as lab:
        for answer in answers(lab):
            if isinstance(answer, UnsupportedError):
                print(f"  --    {answer}")
                continue
            what, measured, unsure, expected, tolerance = answer
            off = measured / expected - 1
            margin = unsure / expected
            verdict = "holds "
            if abs(off) > tolerance:
                verdict = "MISSED" if abs(off) > tolerance + margin else "unsure"
            missed += verdict == "MISSED"
            print(
                f"{verdict}  {what}: {measured:.6g}, expected {expected:.6g} "
                f"({off:+.2%} ±{margin:.2%})"
            )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
