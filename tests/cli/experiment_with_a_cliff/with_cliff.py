"""An experiment whose cost leaves its line where the parameter ``place`` says."""

from __future__ import annotations

import contextlib

from cnbench.core.experiment import Experiment
from cnbench.core.metric import Metric
from cnbench.core.parameter import Parameter
from cnbench.core.proof import Proof, equal


class Subject:
    def __init__(self, params):
        steeper = 9 if params["mode"] == "bent" else 0
        beyond = max(0, params["things"] - params["place"])
        self.cost = 20e-6 + 4e-9 * (params["things"] + steeper * beyond)

    def sample(self):
        return {"cost": self.cost}

    def proof(self):
        return Proof((equal("computed", True, True),))


@contextlib.contextmanager
def open_subject(params, lab):
    yield Subject(params)


EXPERIMENT = Experiment(
    name="with-cliff",
    question="Where does it bend?",
    parameters=(
        Parameter("mode", "", ("bent",), ("bent",), choices=("bent", "straight")),
        Parameter("things", "", (1,), (1,), whole=True, minimum=1, maximum=20_000),
        Parameter("place", "", (5000,), (5000,), whole=True, minimum=1, maximum=20_000),
    ),
    metrics=(Metric("cost", "s", "lower", "ratio", "made up"),),
    variant="mode",
    subject=open_subject,
)
