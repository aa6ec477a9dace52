"""csi: what does it cost to have a volume mounted by a CSI driver, as the kubelet asks for it?

A small driver of ours, a process with a socket; its volumes are folders of the node, so that what
is timed is the way there and back, and a bind mount. The kubelet makes a connection for each call,
and before a volume asks what the driver can do: that is ``anew``. ``kept`` is the same over one
connection. ``publish`` and ``unpublish`` are from the first call to the last answer, ``mount`` and
``unmount`` what the driver says that its own part took.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from cnbench.containers import grpc_client
from cnbench.containers.csi import Driver, open_driver
from cnbench.containers.enclave import open_enclave
from cnbench.containers.grpc_client import ANEW, KEPT
from cnbench.core.errors import CnbenchError, UnsupportedError
from cnbench.core.experiment import Experiment, never_soon_counted
from cnbench.core.metric import Metric
from cnbench.core.parameter import Parameter, Point
from cnbench.core.proof import Proof, equal
from cnbench.lab.host import Lab
from cnbench.lab.waiting import wait_until

_CALLS = ("NodeGetCapabilities", "NodePublishVolume", "NodeUnpublishVolume")
# Connections of a driver between two samples.
_OPEN = {KEPT: 1, ANEW: 0}
_PATIENCE = 2.0


@dataclass
class Publishing:
    """A volume is published and unpublished a sample.

    Attributes:
        connections: how the client uses them.
        seen: mounts on the target and what the volume says there, while published and after.
        calls: what the driver was asked for in each sample.
        held: connections that the driver had after each sample.
    """

    lab: Lab
    driver: Driver
    connections: str
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    seen: set[tuple[int, bool, int, bool]] = field(default_factory=set)
    calls: set[tuple[str, ...]] = field(default_factory=set)
    held: set[int] = field(default_factory=set)

    def sample(self) -> Mapping[str, float]:
        """The time of both, and of the driver's own part in them."""
        driver, name = self.driver, f"volume-{next(self.numbers)}"
        before = len(driver.told())
        asked, published = driver.publish(name)
        there = (driver.mounts(name), driver.contents(name) == name)
        unpublished = driver.unpublish(name)
        after = (driver.mounts(name), driver.enclave.outside(str(driver.target(name))).exists())
        told = driver.told()[before:]
        self.seen.add((*there, *after))
        self.calls.add(tuple(call for call, _ in told))
        self.held.add(self._held())
        units, own = self.lab.clock.units, dict(told)
        return {
            "publish": units(published.ended - asked.began),
            "unpublish": units(unpublished.took),
            "capabilities": units(asked.took),
            "mount": units(own["NodePublishVolume"]),
            "unmount": units(own["NodeUnpublishVolume"]),
        }

    def _held(self) -> int:
        """The driver's connections, once it has let go of those that were closed."""
        with contextlib.suppress(CnbenchError):
            wait_until(
                lambda: self.driver.connections() == _OPEN[self.connections],
                "connections are others", within=_PATIENCE,
            )  # fmt: skip
        return self.driver.connections()

    def proof(self) -> Proof:
        """The volume was mounted once, with its own contents, and then nothing was left."""
        return Proof(
            (
                equal(
                    "mounts on the target, the volume in it; mounts after, the target there",
                    {(1, True, 0, False)}, self.seen,
                ),
                equal("calls of the driver", {_CALLS}, self.calls),
                equal("its connections between samples", {_OPEN[self.connections]}, self.held),
            )
        )  # fmt: skip


@contextlib.contextmanager
def open_subject(params: Point, lab: Lab) -> Iterator[Publishing]:
    """A driver of its own, with as many volumes published as a point asks for."""
    connections = params.text("connections")
    with open_enclave(lab, grouped=False) as enclave, open_driver(enclave, connections) as driver:
        for number in range(params.whole("volumes")):
            driver.publish(f"there-{number}")
        yield Publishing(lab, driver, connections)


def require(params: Point, lab: Lab) -> None:
    """Raise UnsupportedError where there can be no enclave, or no gRPC."""
    lab.require_namespaces()
    if lab.clock.name != "wall":
        raise UnsupportedError(
            "a driver works beside what is timed, which a count of instructions cannot tell apart",
            "measure it on the wall clock: --clock wall",
        )
    grpc_client.require()


EXPERIMENT = Experiment(
    name="csi",
    question="What does it cost to have a volume mounted by a CSI driver?",
    parameters=(
        Parameter(
            "connections", "one for each call, as the kubelet does it, or one for all",
            quick=(ANEW, KEPT), full=(ANEW, KEPT), choices=(ANEW, KEPT),
        ),
        Parameter(
            "volumes", "that are published already", quick=(0,), full=(0, 100, 1000), whole=True,
            maximum=10_000,
        ),
    ),
    metrics=(
        Metric("publish", "s", "lower", "ratio", "time from the first call for it to the answer"),
        Metric("unpublish", "s", "lower", "ratio", "time from the call to the answer"),
        Metric("capabilities", "s", "lower", "ratio", "time of asking what the driver can do"),
        Metric("mount", "s", "lower", "ratio", "of publish, the driver's own part"),
        Metric("unmount", "s", "lower", "ratio", "of unpublish, the driver's own part"),
    ),
    variant="connections",
    subject=open_subject,
    require=require,
    soon=never_soon_counted,
    share=0.5,
    caveat="Client and driver are Python over gRPC's own C core; the kubelet and most drivers are "
    "Go. A real driver does more than a bind mount.",
)  # fmt: skip
