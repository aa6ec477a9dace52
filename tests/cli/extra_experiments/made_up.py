"""An experiment that only waits, for driving the command line from end to end."""

from __future__ import annotations

import contextlib
import itertools
import time

from cnbench.core.errors import UnsupportedError
from cnbench.core.experiment import Experiment
from cnbench.core.metric import Metric
from cnbench.core.parameter import Parameter
from cnbench.core.proof import Proof, equal


class Subject:
    def __init__(self, params):
        self.pace = params["pace"]
        self.values = itertools.cycle((1.0, 1.0 + params["spread"]))

    def sample(self):
        time.sleep(self.pace)
        return {"cost": next(self.values)}

    def proof(self):
        return Proof((equal("waited", True, True),))


@contextlib.contextmanager
def open_subject(params, lab):
    if params["mode"] == "broken":
        raise OSError("the made-up thing broke")
    yield Subject(params)


def require(params, lab):
    if params["mode"] == "lacking":
        raise UnsupportedError("there is no made-up thing here", "apt-get install made-up")


def nonsense(params):
    return "nine b are too many" if (params["mode"], params["size"]) == ("b", 9) else ""


EXPERIMENT = Experiment(
    name="made-up",
    question="Does the command line work?",
    parameters=(
        Parameter("mode", "", ("a", "b"), ("a", "b"), choices=("a", "b", "broken", "lacking")),
        Parameter("size", "", (1, 2, 3), (1, 2, 3, 4), whole=True, minimum=1, maximum=9),
        Parameter("pace", "", (0.0,), (0.0,), unit="s", maximum=60),
        Parameter("spread", "", (0.0,), (0.0,), unit="1"),
    ),
    metrics=(Metric("cost", "s", "lower", "ratio", "made up"),),
    variant="mode",
    subject=open_subject,
    require=require,
    nonsense=nonsense,
)
