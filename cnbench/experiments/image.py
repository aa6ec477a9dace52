"""image: what does it take to unpack an image's layers, and to start the first container of it?

From a local tar, so that no network is in it. ``store`` puts its blobs into containerd's store, by
`ctr images import`; ``unpack`` lays out its layers by a snapshotter, by the calls that containerd's
clients make for each: prepare, apply, commit. Then a container is started of it, and another:
``first`` and ``again``, each from the call to its own program's first instruction. All layers but
the lowest have one small file, so that what they cost is their number. (container-start's
``layers`` and ``snapshotter`` are of containers whose image has long been unpacked.)
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cnbench.containers import image
from cnbench.containers.bundle import Wanted
from cnbench.containers.containerd import OF_THE_CRI, OWN, open_containerd
from cnbench.containers.containerd_api import ContainerdApi
from cnbench.containers.enclave import open_enclave
from cnbench.containers.grpc_client import open_grpc_client
from cnbench.containers.runtimes import open_files
from cnbench.containers.snapshots import NATIVE, OVERLAYFS, Snapshots
from cnbench.core.experiment import Experiment, never_soon_counted
from cnbench.core.metric import Metric
from cnbench.core.parameter import Parameter, Point
from cnbench.core.proof import Proof, equal
from cnbench.experiments.container_start.grid import CONTAINERD_API
from cnbench.experiments.container_start.proof import layers_below
from cnbench.experiments.container_start.subject import require_runtime
from cnbench.lab.host import Lab


@dataclass
class Unpacking:
    """An image is put into the store, unpacked, started twice and removed a sample.

    Attributes:
        tar: the image, as a file that is seen inside and outside of the enclave.
        runtime: whoever starts containers of it.
        there: how many snapshots the snapshotter had before, of the image's, and after.
        applied: whether what was applied were the image's layers.
        roots: on how many layers a container's root lay, and whether the highest was seen in it.
    """

    lab: Lab
    tar: Path
    snapshots: Snapshots
    runtime: ContainerdApi
    there: set[tuple[int, int, int]] = field(default_factory=set)
    applied: set[bool] = field(default_factory=set)
    roots: set[tuple[int, bool]] = field(default_factory=set)

    def sample(self) -> Mapping[str, float]:
        """The time of each step from the tar to the second container."""
        daemon, snapshots = self.snapshots.client.daemon, self.snapshots
        chains = {layer.chain for layer in snapshots.layers}
        before = len(snapshots.listed())
        stored = daemon.ctr("images", "import", "--no-unpack", str(self.tar)).took
        unpacked = snapshots.unpack()
        laid_out = len(snapshots.listed() & chains)
        space = snapshots.space()
        first, again = self._start(), self._start()
        removed = snapshots.remove()
        daemon.ctr("images", "rm", "--sync", image.name(len(snapshots.layers)))
        self.there.add((before, laid_out, len(snapshots.listed())))
        self.applied.add(snapshots.applied == [layer.digest for layer in snapshots.layers])
        units = self.lab.clock.units
        return {
            "unpack": units(unpacked),
            **{step: units(took) for step, took in snapshots.took.items()},
            "store": units(stored),
            "first": units(first),
            "again": units(again),
            "remove": units(removed),
            "space": float(space),
        }

    def _start(self) -> int:
        """Start a container of the image: ns to its own program. Nothing is left of it."""
        enclave = self.snapshots.client.daemon.enclave
        started = self.runtime.start()
        first = enclave.first_instruction(started.pid)
        below = layers_below(enclave.do("look", started.pid)["mounts"])
        highest = f"/proc/{started.pid}/root/{image.mark_of(len(self.snapshots.layers))}"
        self.roots.add((below, enclave.outside(highest).exists()))
        self.runtime.stop(started)
        return first - started.began

    def proof(self) -> Proof:
        """Exactly the image's layers were laid out, lay below the containers, and are gone."""
        count = len(self.snapshots.layers)
        below = 0 if self.snapshots.snapshotter == NATIVE else count
        return Proof(
            (
                equal("snapshots before, of the image, and after", {(0, count, 0)}, self.there),
                equal("the image's layers were applied in their order", {True}, self.applied),
                equal("layers below a root, the highest in it", {(below, True)}, self.roots),
            )
        )


@contextlib.contextmanager
def open_subject(params: Point, lab: Lab) -> Iterator[Unpacking]:
    """A containerd that has no image yet, and the tar of one."""
    layers, snapshotter = params.whole("layers"), params.text("snapshotter")
    with (
        open_enclave(lab) as enclave,
        open_files(enclave) as files,
        open_containerd(enclave) as daemon,
        open_grpc_client(daemon) as client,
    ):
        for namespace in (OWN, OF_THE_CRI):
            daemon.ctr("images", "rm", "--sync", image.name(), namespace=namespace)
        made = image.image(layers)
        tar = enclave.folder / "unpacked-image.tar"
        tar.write_bytes(made.tar)
        runtime = ContainerdApi(files, Wanted(layers=layers, snapshotter=snapshotter), client)
        yield Unpacking(lab, tar, Snapshots(client, snapshotter, made.layers), runtime)


def require(params: Point, lab: Lab) -> None:
    """Raise UnsupportedError where the runtime, or what it needs, is not there."""
    require_runtime(CONTAINERD_API, lab)


EXPERIMENT = Experiment(
    name="image",
    question="What does it take to unpack an image, and to start the first container of it?",
    parameters=(
        Parameter(
            "snapshotter", "what lays the layers out: mounts over each other, or copies",
            quick=(OVERLAYFS, NATIVE), full=(OVERLAYFS, NATIVE), choices=(OVERLAYFS, NATIVE),
        ),
        Parameter(
            "layers", "of the image", quick=(16,), full=(1, 4, 16, 64), whole=True, minimum=1,
            maximum=image.MOST_LAYERS,
        ),
    ),
    metrics=(
        Metric("unpack", "s", "lower", "ratio", "time of laying out all layers"),
        Metric("prepare", "s", "lower", "ratio", "of that, preparing snapshots"),
        Metric("apply", "s", "lower", "ratio", "of that, applying layers' tars to them"),
        Metric("commit", "s", "lower", "ratio", "of that, committing them"),
        Metric("store", "s", "lower", "ratio", "time of putting the tar's blobs into the store"),
        Metric("first", "s", "lower", "ratio", "time from the first call to the first container"),
        Metric("again", "s", "lower", "ratio", "the same of the next one"),
        Metric("remove", "s", "lower", "ratio", "time of removing all snapshots"),
        Metric("space", "B", "lower", "additive", "what the layers take as they are laid out"),
    ),
    variant="snapshotter",
    subject=open_subject,
    require=require,
    soon=never_soon_counted,
    tools=("busybox", "runc", "containerd"),
    share=0.5,
    caveat="store has the command's own start in it. Everything is in memory (tmpfs): a disk comes "
    "on top.",
)  # fmt: skip
