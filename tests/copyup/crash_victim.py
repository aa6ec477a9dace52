"""Takes copy-up samples for ever; killed by the test that starts it."""

from __future__ import annotations

import sys
from pathlib import Path

from cnbench.core.parameter import Point
from cnbench.experiments.copy_up import EXPERIMENT
from cnbench.lab.host import open_lab

filesystem, driver, journal = sys.argv[1:4]
params = Point({"filesystem": filesystem, "size": 65536, "content": "data", "lower": "other",
          "driver": driver, "trigger": "open", "options": "default", "cache": "warm",
          "layers": 2, "depth": 1})  # fmt: skip
with open_lab("host", "wall", Path(journal)) as lab, lab.fresh_fixtures():
    print("started", flush=True)
    with EXPERIMENT.subject(params, lab) as subject:
        while True:
            subject.sample()
            print("sampled", flush=True)
