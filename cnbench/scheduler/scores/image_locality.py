"""ImageLocality: nodes that have the images already. Source: imagelocality/image_locality.go."""

from cnbench.scheduler import loops
from cnbench.scheduler.cluster import Cluster, PodShape
from cnbench.scheduler.columns.arrays import Ints
from cnbench.scheduler.model.quantities import MIB
from cnbench.scheduler.view import View

NAME = "ImageLocality"
LEAST = 23 * MIB
MOST_PER_CONTAINER = 1000 * MIB


def raw(view: View, shape: PodShape) -> Ints:
    """0 at 23 MiB of the pod's images or less, 100 at 1000 MiB per container or more (int64).

    Each image counts its size times the share of all nodes that have it. Init containers count
    like the others since 1.30. Volumes that are images count since 1.33, but not as containers.
    """
    spec, cluster, release = shape.spec, view.cluster, view.release
    containers = spec.init_images + spec.images if release.init_images else spec.images
    images = containers + spec.volume_images if release.image_volumes else containers
    if not any(image in cluster.image_sizes for image in images):
        return view.zeros()
    name = (NAME, release.init_images, release.image_volumes)
    number = shape.compiled.get(name)
    if number is None:
        number = shape.compiled[name] = cluster.content((NAME, images, len(containers)))
    kept = cluster.static.get((NAME, number), lambda: _scores(cluster, images, len(containers)))
    return view.column(kept)


def _scores(cluster: Cluster, images: tuple[str, ...], containers: int) -> Ints:
    most = MOST_PER_CONTAINER * containers
    parts = []
    for image in images:
        nodes = cluster.image_nodes.get(image)
        if nodes is not None:
            share = float(cluster.image_sizes[image]) * (len(nodes) / len(cluster))
            # More than the most makes no difference.
            parts.append((nodes, float(min(int(share), most))))
    return loops.image_scores(parts, len(cluster), float(LEAST), float(most))
