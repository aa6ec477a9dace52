"""ImageLocality: nodes that have the images already. Source: imagelocality/image_locality.go."""

import numpy as np

from cnbench.scheduler.cluster import Cluster, Shape
from cnbench.scheduler.columns.arrays import Ints
from cnbench.scheduler.columns.exact import MAX_SCORE
from cnbench.scheduler.model.quantities import MIB
from cnbench.scheduler.view import View

NAME = "ImageLocality"
LEAST = 23 * MIB
MOST_PER_CONTAINER = 1000 * MIB


def raw(view: View, shape: Shape) -> Ints:
    """0 at 23 MiB of the pod's images or less, 100 at 1000 MiB per container or more (int64).

    Each image counts its size times the share of all nodes that have it. Init containers count
    like the others since 1.29.
    """
    spec, cluster = shape.spec, view.cluster
    images = spec.init_images + spec.images if view.release.init_images else spec.images
    if not any(image in cluster.image_sizes for image in images):
        return view.zeros()
    name = (NAME, view.release.init_images)
    number = shape.compiled.get(name)
    if number is None:
        number = shape.compiled[name] = cluster.content((NAME, images))
    return view.column(cluster.static.get((NAME, number), lambda: _scores(cluster, images)))


def _scores(cluster: Cluster, images: tuple[str, ...]) -> Ints:
    there = np.zeros(len(cluster), dtype=np.int64)
    for image in images:
        nodes = cluster.image_nodes.get(image)
        if nodes is not None:
            there[nodes] += int(float(cluster.image_sizes[image]) * (len(nodes) / len(cluster)))
    most = MOST_PER_CONTAINER * len(images)
    scores: Ints = MAX_SCORE * (np.clip(there, LEAST, most) - LEAST) // (most - LEAST)
    return scores
