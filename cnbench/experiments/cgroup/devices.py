"""cgroup-devices: what does asking whether a device may be opened cost?

v1 has a list of rules, which every open walks; on v2 a BPF program that the container runtime
attaches decides, here one that compares with the same rules in turn. The rule that lets /dev/null
in is the last, so that all are asked; /dev/zero is denied. The cost outside of the group is that
of the same opens without any rule.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cnbench.core.experiment import Experiment
from cnbench.core.metric import Metric
from cnbench.core.parameter import Parameter, Point
from cnbench.core.proof import Proof, equal
from cnbench.experiments.cgroup import controller
from cnbench.lab.cgroups import device_rules, hierarchies
from cnbench.lab.cgroups.device_rules import DeviceRules, open_device_rules
from cnbench.lab.cgroups.group import Cgroup
from cnbench.lab.clock import Clock
from cnbench.lab.host import Lab
from cnbench.probes.tenants import Tenant, open_tenant

_ALLOWED, _DENIED = "/dev/null", "/dev/zero"
# Of /dev/null (Documentation/admin-guide/devices.txt); others are of numbers that no driver has.
_NULL = (1, 3)
_UNUSED_MAJOR = 240


@dataclass
class DevicesSubject:
    """A group with rules, a process inside and one outside."""

    group: Cgroup
    rules: DeviceRules
    inside: Tenant
    outside: Tenant
    clock: Clock
    opens: int
    samples: int = 0
    allowed: int = 0
    denied: int = 0

    def sample(self) -> Mapping[str, float]:
        """The cost of an open that is allowed, of one that is denied, and of one without rules."""
        unasked, _ = self.outside.do("open_often", _ALLOWED, self.opens)
        open_, refused = self.inside.do("open_often", _ALLOWED, self.opens)
        denied, denials = self.inside.do("open_often", _DENIED, self.opens)
        self.samples += 1
        self.allowed += self.opens - refused
        self.denied += denials
        return {
            "open": self.clock.units(open_) / self.opens,
            "denied": self.clock.units(denied) / self.opens,
            "unasked": self.clock.units(unasked) / self.opens,
        }

    def proof(self) -> Proof:
        """Every open of the one device was let in and every one of the other refused."""
        expected = self.samples * self.opens or "some"
        return Proof(
            (
                equal("the group's rules", self.rules.wanted(), self.rules.read_back()),
                equal(f"opens of {_ALLOWED} that were allowed", expected, self.allowed),
                equal(f"opens of {_DENIED} that were denied", expected, self.denied),
                equal("the group's only process", [self.inside.pid], self.group.members()),
            )
        )


@contextlib.contextmanager
def open_subject(params: Point, lab: Lab) -> Iterator[DevicesSubject]:
    """A group with so many rules, the one that matters last."""
    others = [(_UNUSED_MAJOR, minor) for minor in range(params.whole("rules") - 1)]
    with (
        lab.cgroup("devices", params.text("controller")) as group,
        open_tenant(group) as inside,
        open_tenant() as outside,
        open_device_rules(group, [*others, _NULL]) as rules,
    ):
        yield DevicesSubject(group, rules, inside, outside, lab.clock, params.whole("opens"))


def _require(params: Point, lab: Lab) -> None:
    hierarchy = hierarchies.require("devices", params.text("controller"))
    if hierarchy.version == "v2":
        device_rules.require_programs()


EXPERIMENT = Experiment(
    name="cgroup-devices",
    question="What does asking whether a device may be opened cost?",
    parameters=(
        controller("v1's list of rules, or a BPF program on v2"),
        Parameter(
            "rules", "rules, of which the last lets the device in", quick=(10,),
            full=(1, 10, 100), whole=True, minimum=1, maximum=1000,
        ),
        Parameter(
            "opens", "opens in one sample", quick=(500,), full=(5000,), whole=True, minimum=1,
            maximum=1_000_000,
        ),
    ),
    metrics=(
        Metric("open", "s", "lower", "ratio", "cost of an open that is allowed, and its close"),
        Metric("denied", "s", "lower", "ratio", "cost of an open that is denied"),
        Metric("unasked", "s", "lower", "ratio", "cost of an open outside of the group"),
    ),
    variant="controller",
    subject=open_subject,
    require=_require,
    share=0.3,
)  # fmt: skip
