"""Takes samples of one experiment for ever; killed by the test that starts it."""

import sys
from pathlib import Path

from cnbench.experiments.registry import experiment_called
from cnbench.lab.host import open_lab

name, version, journal = sys.argv[1:4]
experiment = experiment_called(name)
given = {"controller": (version,)} if version else {}
point = experiment.grid(False, given)[-1]
with open_lab("host", "wall", Path(journal)) as lab, lab.fresh_fixtures():
    experiment.require(point, lab)
    print("started", flush=True)
    with experiment.subject(point, lab) as subject:
        while True:
            subject.sample()
            print("sampled", flush=True)
