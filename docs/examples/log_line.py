"""log-line: what does a line of log cost the container that writes it?

A container's standard output is a pipe to its shim, or a terminal (``docker run -t``); logs of an
application's own go to a file. Each line is a write of its own, and is read away after the sample.
"""

import os
import select
from contextlib import contextmanager
from pathlib import Path

from cnbench.core.experiment import Experiment
from cnbench.core.metric import Metric
from cnbench.core.parameter import Parameter
from cnbench.core.proof import Proof, equal

LINES = [b"x" * 79 + b"\n"] * 32  # a terminal holds 4 KiB, and nobody reads while they are written
LEADS_TO = {"pipe": "pipe:", "terminal": "/dev/pts/", "file": "/log"}
SINKS = tuple(LEADS_TO)


class LogLine:
    """Both ends of what takes the lines."""

    def __init__(self, sink, clock, ends):
        self.sink, self.clock, (self.reading, self.writing) = sink, clock, ends
        self.written = self.arrived = 0

    def sample(self):
        """The mean time of a write; the reading is not in it."""
        ticks, _ = self.clock.timed(lambda: [os.write(self.writing, line) for line in LINES])
        self.written += len(LINES)
        for _ in LINES:  # of which each may come by itself
            if self.arrived < self.written and select.select([self.reading], (), (), 1)[0]:
                self.arrived += os.read(self.reading, 1 << 16).count(b"\n")
        return {"cost": self.clock.units(ticks) / len(LINES)}

    def proof(self):
        """The kernel says what the lines went to, and all of them came out at its other end."""
        target = str(Path(f"/proc/self/fd/{self.writing}").readlink())
        seen = [sink for sink in SINKS if LEADS_TO[sink] in target]
        return Proof((equal("sink", [self.sink], seen), equal("lines", self.written, self.arrived)))


@contextmanager
def open_subject(params, lab):
    """A fresh sink, which ends with the case."""
    log = lab.temporary_folder() / "log"
    opened = {"pipe": os.pipe, "terminal": os.openpty}.get(
        params.text("sink"), lambda: [os.open(log, how) for how in (os.O_CREAT, os.O_WRONLY)]
    )
    reading, writing = opened()
    with os.fdopen(reading, "rb"), os.fdopen(writing, "wb"):  # closed with the case
        yield LogLine(params.text("sink"), lab.clock, (reading, writing))


SINK = Parameter("sink", "what takes the lines", quick=SINKS, full=SINKS, choices=SINKS)
COST = Metric("cost", "s", "lower", "ratio", "time of a write")
QUESTION = "What does a line of log cost the container that writes it?"
EXPERIMENT = Experiment("log-line", QUESTION, (SINK,), (COST,), "sink", open_subject)
