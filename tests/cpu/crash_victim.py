"""Takes cpu-quota samples for ever; killed by the test that starts it."""

from __future__ import annotations

import sys
from pathlib import Path

from cnbench.core.parameter import Point
from cnbench.experiments.cpu_quota import EXPERIMENT
from cnbench.lab.host import open_lab

version, journal = sys.argv[1:3]
params = Point({"controller": version, "quota": 0.2, "period": 0.01, "threads": 2, "load": "spin",
          "nested": "looser", "burst": 0.0, "periods": 3, "start": "edge"})  # fmt: skip
with open_lab("host", "wall", Path(journal)) as lab, lab.fresh_fixtures():
    print("started", flush=True)
    with EXPERIMENT.subject(params, lab) as subject:
        while True:
            subject.sample()
            print("sampled", flush=True)
