"""What only a guest has (cgroup v2, tc's filter): each case proven, and its proof broken.

Given to Python inside a guest by test_cgroups_guest.py; prints one JSON line a case.
"""

import json
import os
import sys
import time
import traceback

sys.path.insert(0, "/usr/local/lib/cnbench")
from cnbench.experiments.registry import experiment_called
from cnbench.lab.host import open_lab


def out_of_the_group(subject):
    process = getattr(subject, "tenant", None) or subject.inside
    group = getattr(subject, "group", None) or subject.marked.group
    folder = group.folder.parent.parent
    (folder / "cgroup.procs").write_text(str(process.pid))


def hidden_copy(folder):
    """A folder whose files are linked elsewhere, so that their pages stay when they are deleted."""

    class Kept(type(folder)):
        def unlink(self):
            os.link(self, f"{self.parent}/kept-{self.name}-{time.monotonic_ns()}")
            super().unlink()

    return Kept(folder)


CASES = {}
# The first, while nobody has passed any controller on, as in a guest that has just booted.
CASES["cgroup-perf-event"] = ("cgroup-perf-event", {"controller": "v2"}, out_of_the_group)

CASES["cgroup-net-cls tc"] = (
    "cgroup-net-cls",
    {"controller": "v1", "reader": "tc"},
    out_of_the_group,
)

CASES["cgroup-freezer quota"] = (
    "cgroup-freezer",
    {"controller": "v2", "quota": 0.05, "tasks": 2},
    lambda subject: setattr(subject, "_set", lambda frozen: None),
)

CASES["cgroup-scale cache"] = (
    "cgroup-scale",
    {"controller": "v2", "left": "cache", "groups": 4},
    lambda subject: setattr(subject, "cache", hidden_copy(subject.cache)),
)

CASES["cgroup-reclaim"] = ("cgroup-reclaim", {"controller": "v2"}, out_of_the_group)
CASES["cgroup-pressure"] = (
    "cgroup-pressure",
    {"controller": "v2"},
    lambda subject: subject.group.write("memory.high", "max"),
)

CASES["cgroup-pressure window"] = (
    "cgroup-pressure",
    {"controller": "v2", "window": 0.5, "threshold": 0.2},
    lambda subject: setattr(subject, "threshold", 0.5),
)


def tried(name, changes, break_it, lab):
    experiment = experiment_called(name)
    point = experiment.grid(False, {"controller": (changes["controller"],)})[0] | changes
    assert experiment.nonsense(point) == ""
    experiment.require(point, lab)
    with experiment.subject(point, lab) as subject:
        empty = subject.proof().holds
        values = dict(subject.sample())
        assert subject.sample().keys() == values.keys()
        for metric, value in values.items():
            experiment.metric(metric).check(value)
        broken = [f"{one.claim}: {one.observed}" for one in subject.proof().broken]
        break_it(subject)
        try:
            subject.sample()
            rings = not subject.proof().holds
        except Exception:
            rings = True  # what goes so wrong that nothing can be sampled has no proof either
    return {"values": values, "without a sample": empty, "broken": broken, "rings": rings}


with open_lab("guest", "instructions") as lab, lab.clock.undisturbed():
    for case in sys.argv[1:] or CASES:
        with lab.fresh_fixtures():
            try:
                said = tried(*CASES[case], lab)
            except Exception:
                said = {"failed": traceback.format_exc()}
        print(json.dumps({"case": case, **said}), flush=True)
