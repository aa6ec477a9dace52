"""Hold pod-network against answers that are known beforehand; exits with 1 if one is missed.

    .venv/bin/python scripts/network_known_answers.py [PART]...

- limit, limit-guest: under a rate limit on the underlay, goodput is the limit times the payload's
  share of the bytes on the wire, on the host and in a guest;
- delay: a delay each way makes a round trip longer by twice as much. In a guest on the instruction
  clock, where a millisecond of waiting is a million ticks and nothing else takes part;
- iperf3, iperf3-guest: run by hand and run by the experiment, in turns in the same namespaces, it
  delivers the same: on the host with a limit and without, in a guest without;
- order: host-gw costs least and vxlan most, in a guest on the instruction clock.
"""

from __future__ import annotations

import functools
import itertools
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cnbench.core.parameter import Params
from cnbench.lab.guest.agent import CODE
from cnbench.network.backend import backend_called
from cnbench.probes.packets import expected_bytes
from cnbench.stats.intervals import Interval, median_interval

HOST = ("--lab", "host")
COUNTED = ("--lab", "guest", "--clock", "instructions")
# Bytes per second: so few that what a queue may send at once, 20 kB, makes up for 10 ms in which
# nobody ran to send; and with so many messages that it is little beside them.
RATE = 2_000_000
MESSAGES = 100
# In a guest all instructions that pass while a message waits are executed, a billion a second, so
# it should not wait long; WireGuard alone, the slowest, could send 18 million bytes a second there.
GUEST_RATE = 8_000_000
GUEST_MESSAGES = 40
DELAY = 1e-3
PAIRS = 25
GUEST_PAIRS = 16
SIDE_BY_SIDE = Path(__file__).with_name("iperf3_side_by_side.py")
TOOL = Path(sys.executable).with_name("cnbench")
# Bytes per second of iperf3: well below what either of the two could send.
IPERF3_RATE = 20_000_000
IN_ORDER = ("host-gw", "ipip", "vxlan")
# What iperf3 may differ by, and the others.
ONE_PERCENT, TWO_PERCENT = 0.01, 0.02
HOLDS, UNSURE, MISSED = "holds ", "unsure", "MISSED"


@dataclass(frozen=True)
class Answer:
    """One answer: ``measured`` should be ``expected``, within ``tolerance`` as a share of it."""

    what: str
    measured: Interval
    expected: float
    tolerance: float

    @property
    def verdict(self) -> str:
        """Whether the whole interval is within the tolerance; unsure where a part of it is.

        A busy machine gives wide intervals, and those no answer.
        """
        low, high = (value / self.expected - 1 for value in (self.measured.low, self.measured.high))
        if -self.tolerance <= low and high <= self.tolerance:
            return HOLDS
        return UNSURE if low <= self.tolerance and high >= -self.tolerance else MISSED

    def __str__(self) -> str:
        low, middle, high = (
            f"{value / self.expected - 1:+.2%}"
            for value in (self.measured.low, self.measured.estimate, self.measured.high)
        )
        return (
            f"{self.verdict}  {self.what}: {self.measured.estimate:.6g}, "
            f"expected {self.expected:.6g}, off by {middle} (95 %: {low} to {high}), "
            f"allowed ±{self.tolerance:.0%}"
        )


def measured(metric: str, place: Sequence[str], **values: object) -> Iterator[tuple[Params, Any]]:
    """A run of its own: the parameters and the row of each case, reasons printed for those without.

    Values of several are written with commas, as after ``-p``.
    """
    given = [part for name, value in values.items() for part in ("-p", f"{name}={value}")]
    with tempfile.TemporaryDirectory() as folder:
        argv = [TOOL, "run", "pod-network", *place, *given, "--json", "-o", f"{folder}/run.json"]
        said = subprocess.run(argv, stdout=subprocess.PIPE, check=False).stdout
    for row in json.loads(said)["rows"] if said else ():
        if row["metric"] != metric:
            continue
        if row["status"] == "ok":
            yield row["params"], row
        else:
            print(f"  --    {row['params']['backend']} {' '.join(place)}: {row['reason']}")


def interval(row: Mapping[str, float]) -> Interval:
    """The estimate of a row, with its interval."""
    return Interval(row["median"], row["low"], row["high"])


def share_of_payload(params: Params) -> float:
    """Of the bytes on the wire, what an application sent; every packet cut to the MTU."""
    size, around = int(params["size"]), backend_called(str(params["backend"])).encapsulation(0)
    mtu = int(params["mtu"]) - around.room
    return size / expected_bytes(size, "tcp", mtu, around.overhead, around.padded_to)


def under_a_limit(
    place: Sequence[str], second: float, rate: int, messages: int, backends: str
) -> Iterator[Answer]:
    """Goodput over the limit times the payload's share; a ``second`` is so many of the clock's."""
    cases = measured(
        "throughput", place, backend=backends, traffic="tcp-stream", offloads="off",
        rate=f"{rate}B/s", messages=messages,
    )  # fmt: skip
    for params, row in cases:
        what = f"goodput in B/s under a limit of {rate}, {params['backend']}, {row['lab']}"
        expected = rate * share_of_payload(params)
        yield Answer(what, scaled(interval(row), second), expected, ONE_PERCENT)


def scaled(values: Interval, factor: float) -> Interval:
    """The same in another unit."""
    return Interval(values.estimate * factor, values.low * factor, values.high * factor)


def with_a_delay() -> Iterator[Answer]:
    """By how much a delay each way makes a round trip longer."""
    cases = measured(
        "latency", COUNTED, backend="none,host-gw,vxlan,ipip,bgp", traffic="tcp-rr",
        delay=f"0,{DELAY}s", messages=100,
    )  # fmt: skip
    without: dict[object, Interval] = {}
    for params, row in cases:
        backend, latency = params["backend"], interval(row)
        if not params["delay"]:
            without[backend] = latency
        elif backend in without:
            short = without[backend]
            longer = Interval(
                latency.estimate - short.estimate,
                latency.low - short.high,
                latency.high - short.low,
            )
            what = f"ticks that a round trip is longer by with 1 ms each way, {backend}"
            yield Answer(what, longer, 2e9 * DELAY, TWO_PERCENT)


def by_hand() -> Iterator[Answer]:
    """iperf3 by the experiment over iperf3 by hand, in turns in the same namespaces."""
    for backend, limit in itertools.product(("host-gw", "vxlan"), (IPERF3_RATE, 0)):
        yield _by_hand("host", [sys.executable, SIDE_BY_SIDE], backend, limit, PAIRS)


def by_hand_in_a_guest() -> Iterator[Answer]:
    """The same where nothing else runs."""
    python = f'PYTHONPATH={CODE} exec python3 - "$@"'
    argv = [TOOL, "guest", "run", "--clock", "instructions", "--", "sh", "-c", python, "sh"]
    for backend in ("host-gw", "vxlan"):
        yield _by_hand("guest", argv, backend, 0, GUEST_PAIRS)


def _by_hand(
    place: str, argv: Sequence[str | Path], backend: str, limit: int, pairs: int
) -> Answer:
    with SIDE_BY_SIDE.open() as source:
        said = subprocess.run(
            [*argv, backend, str(limit), str(pairs)],
            stdin=source, stdout=subprocess.PIPE, check=True, text=True,
        ).stdout  # fmt: skip
    under = f"a limit of {limit} B/s" if limit else "no limit"
    what = f"iperf3 by cnbench over iperf3 by hand, {backend}, {under}, {place}"
    return Answer(what, median_interval([float(line) for line in said.split()]), 1.0, ONE_PERCENT)


@dataclass(frozen=True)
class Order:
    """One cost that should be below another; both in instructions per KiB."""

    what: str
    less: Interval
    more: Interval

    @property
    def verdict(self) -> str:
        """Whether it is, whatever both are uncertain by."""
        return HOLDS if self.less.high < self.more.low else MISSED

    def __str__(self) -> str:
        return f"{self.verdict}  {self.what}: {self.less.estimate:.0f} < {self.more.estimate:.0f}"


def in_order() -> Iterator[Order]:
    """The order of the backends' costs, in large buffers and cut into packets."""
    for offloads, messages in (("on", 1000), ("off", 300)):
        cases = measured(
            "cpu_cost", COUNTED, backend=",".join(IN_ORDER), traffic="tcp-stream",
            offloads=offloads, messages=messages,
        )  # fmt: skip
        cost = {params["backend"]: scaled(interval(row), 1024) for params, row in cases}
        for less, more in itertools.pairwise(IN_ORDER):
            what = f"instructions per KiB of {less} and {more}, offloads {offloads}"
            yield Order(what, cost[less], cost[more])


PARTS: Mapping[str, Callable[[], Iterator[Answer | Order]]] = {
    "limit": functools.partial(
        under_a_limit, HOST, 1.0, RATE, MESSAGES, "none,host-gw,vxlan,bgp,macvlan"
    ),
    "limit-guest": functools.partial(
        under_a_limit,
        COUNTED,
        1e9,
        GUEST_RATE,
        GUEST_MESSAGES,
        "none,host-gw,vxlan,ipip,bgp,geneve,gre,wireguard",
    ),
    "delay": with_a_delay,
    "iperf3": by_hand,
    "iperf3-guest": by_hand_in_a_guest,
    "order": in_order,
}


def main() -> int:
    """Print measured and expected side by side."""
    missed = 0
    for name in sys.argv[1:] or PARTS:
        for answer in PARTS[name]():
            print(answer, flush=True)
            missed += answer.verdict == MISSED
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
