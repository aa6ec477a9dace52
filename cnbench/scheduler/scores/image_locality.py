"""ImageLocality: nodes that have the images already. Source: imagelocality/image_locality.go."""

from cnbench.scheduler import loops
from cnbench.scheduler.cluster import Cluster, PodShape
from cnbench.scheduler.columns.arrays import Ints
from cnbench.scheduler.model.quantities import MIB
from cnbench.scheduler.model.spec import Spec
from cnbench.scheduler.releases import KubernetesRelease
from cnbench.scheduler.view import View

NAME = "ImageLocality"
LEAST = 23 * MIB
MOST_PER_CONTAINER = 1000 * MIB


class WantedImages:
    """The images that count for a pod under a release.

    Attributes:
        held: whether some node has one of them.
        key: what the scores are kept by.
    """

    def __init__(self, cluster: Cluster, spec: Spec, release: KubernetesRelease) -> None:
        containers = spec.init_images + spec.images if release.init_images else spec.images
        self._images = containers + spec.volume_images if release.image_volumes else containers
        self._containers = len(containers)
        self._cluster = cluster
        self.held = any(image in cluster.image_sizes for image in self._images)
        self.key = (NAME, cluster.content((self._images, self._containers)))

    def scores(self) -> Ints:
        """The scores of all nodes."""
        cluster, most = self._cluster, MOST_PER_CONTAINER * self._containers
        parts, size = [], len(cluster)
        for image in self._images:
            nodes = cluster.image_nodes.get(image)
            if nodes is not None:
                share = float(cluster.image_sizes[image]) * (len(nodes) / size)
                # More than the most makes no difference.
                parts.append((nodes, float(min(int(share), most))))
        return loops.image_scores(parts, size, float(LEAST), float(most))


def raw(view: View, shape: PodShape) -> Ints:
    """0 at 23 MiB of the pod's images or less, 100 at 1000 MiB per container or more (int64).

    Each image counts its size times the share of all nodes that have it. Init containers count
    like the others since 1.30. Volumes that are images count since 1.33, but not as containers.
    """
    name = (NAME, view.release.minor)
    wanted = shape.compiled.get(name)
    if not isinstance(wanted, WantedImages):
        wanted = shape.compiled[name] = WantedImages(view.cluster, shape.spec, view.release)
    if not wanted.held:
        return view.zeros()
    return view.column(view.cluster.static.get(wanted.key, wanted.scores))
