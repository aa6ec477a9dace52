"""What a member of a fleet offers and what a group needs, as resources of Dask's.

Dask's scheduler gives a task only to a worker that has enough of each resource that it names. Most
of these are not used up: a member has them or not. What is used up is the machine: what is timed
takes all of it, and what is counted so little that the number of a worker's threads bounds it.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Container, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import cnbench
from cnbench.core.case import Group
from cnbench.core.errors import CnbenchError
from cnbench.core.fingerprint import Fingerprint
from cnbench.core.parameter import Point
from cnbench.experiments.registry import all_experiments, experiment_called
from cnbench.lab.guest import start
from cnbench.lab.guest.build.images import USERLANDS
from cnbench.lab.guest.build.kernels import built_kernels
from cnbench.lab.guest.build.sources import SUITES
from cnbench.lab.host import open_lab
from cnbench.measuring import fingerprint
from cnbench.measuring.capabilities import examine, variant_of

Resources = dict[str, float]

MACHINE = "machine"
# More threads than this no worker has; a power of two adds up without rounding.
_A_LITTLE = 2**-12


@dataclass(frozen=True)
class Offer:
    """What one machine can measure.

    Attributes:
        node: what the machine is called.
        code: the digest of its cnbench.
        environment: the digest of what makes times of two machines incomparable.
        supported: the variants that its host can measure, and the guests that it can have.
    """

    node: str
    code: str
    environment: str
    supported: tuple[str, ...]

    def resources(self) -> Resources:
        """The same for Dask's scheduler."""
        had = (of_node(self.node), of_code(self.code), of_environment(self.environment))
        return {MACHINE: 1.0} | dict.fromkeys((*had, *self.supported), math.inf)


def of_node(name: str) -> str:
    """The resource of a machine's own name, for what is to be measured there."""
    return f"node {name}"


def of_code(digest: str) -> str:
    """The resource of a version of cnbench: two of them measure two things."""
    return f"cnbench {digest}"


def of_environment(digest: str) -> str:
    """The resource of machines whose times may be in one run."""
    return f"environment {digest}"


def offer_of(node: str) -> Offer:
    """What this machine, called ``node``, can measure: what `cnbench doctor` says of it.

    Raises:
        CnbenchError: no lab can be opened on this host.
    """
    with open_lab("host", "wall") as lab:
        found = fingerprint.take(lab)
        host = [
            f"host {capability.experiment} {capability.variant}"
            for experiment in all_experiments().values()
            for capability in examine(experiment, lab)
            if capability.supported
        ]
    return Offer(node, code_digest(), _essence(found), (*host, *_guests()))


def needs_of(group: Group, offered: Container[str]) -> Resources:
    """The resources that measuring ``group`` takes.

    What no member has ``offered`` is not among them: one of them then says what it lacks.
    """
    venue = group.venue
    if venue.lab == "guest":
        named = {_guest(venue.kernel, venue.userland)}
    else:
        experiment = experiment_called(group.experiment)
        named = {
            f"host {experiment.name} {variant_of(experiment, Point(case.params))}"
            for case in group.cases
        }
    machine = _A_LITTLE if venue.clock == "instructions" else 1.0
    return {MACHINE: machine} | dict.fromkeys((name for name in named if name in offered), 1.0)


def code_digest() -> str:
    """The digest of this cnbench's sources."""
    root = Path(cnbench.__file__).parent
    total = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        contents = hashlib.sha256(path.read_bytes()).hexdigest()
        total.update(f"{path.relative_to(root)} {contents}\n".encode())
    return total.hexdigest()[:12]


def _guests() -> Iterator[str]:
    """The guests that this machine has, or can build."""
    for kernel in dict.fromkeys((*SUITES, *(kernel.name for kernel in built_kernels()))):
        for userland in USERLANDS:
            try:
                start.require(kernel, userland)
            except CnbenchError:
                continue
            yield _guest(kernel, userland)


def _guest(kernel: str, userland: str) -> str:
    return f"guest {kernel} {userland}".rstrip()


def _essence(found: Fingerprint) -> str:
    """The digest of what is essential where two environments differ, tools left out."""
    essential: Mapping[str, object] = {
        name: value for name, value in asdict(found).items() if name != "tools"
    }
    return hashlib.sha256(json.dumps(essential, sort_keys=True).encode()).hexdigest()[:12]
