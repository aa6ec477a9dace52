"""NodeResourcesFit: what the pod requests is free (PodFitsResources in the legacy names)."""

from __future__ import annotations

from cnbench.scheduler import loops
from cnbench.scheduler.cluster import PodShape
from cnbench.scheduler.columns.arrays import Floats, Mask
from cnbench.scheduler.columns.resources import NATIVE, Demand, rows_of
from cnbench.scheduler.model.quantities import PODS
from cnbench.scheduler.view import View

NAME = "NodeResourcesFit"
REASON = "Insufficient resources"


def feasible(view: View, shape: PodShape) -> Mask:
    """The nodes with room for one more pod and for every resource it requests.

    A resource requested with 0 is not looked at, so it fits on a node that is overcommitted; before
    1.28 it is, and a pod that requests anything is asked for cpu, memory and ephemeral-storage,
    too (kubernetes noderesources/fit.go, fitsRequest).
    """
    demand = shape.demand(view.release.minor)
    if demand.unknown and not all(_ignored(view, name) for name in demand.unknown):
        return view.everywhere(False)
    rows, amounts = _asked(view, demand)
    return loops.fits(view.columns(rows_of(view.resources.free, rows)), amounts)


def _asked(view: View, demand: Demand) -> tuple[tuple[int, ...], Floats]:
    rows, amounts = demand.strict if view.release.zero_asks else (demand.rows, demand.amounts)
    settings = view.settings
    if not settings.ignored_resources and not settings.ignored_resource_groups:
        return rows, amounts
    skipped = {row for name, row in view.resources.rows.items() if _ignored(view, name)}
    kept = [place for place, row in enumerate(rows) if row not in skipped]
    return tuple(rows[place] for place in kept), amounts[kept]


def _ignored(view: View, resource: str) -> bool:
    """Whether the settings leave an extended resource out."""
    if resource in NATIVE or resource == PODS:
        return False
    group, settings = resource.partition("/")[0], view.settings
    return resource in settings.ignored_resources or group in settings.ignored_resource_groups


def detail(view: View, shape: PodShape, node: int) -> str:
    """The resources of which this node has too little for the pod."""
    demand = shape.demand(view.release.minor)
    names = {row: name for name, row in view.resources.rows.items()}
    rows, amounts = _asked(view, demand)
    short = [
        names[row]
        for row, amount in zip(rows, amounts[:, 0].tolist(), strict=True)
        if view.resources.free[row, node] < amount
    ]
    return ", ".join([*short, *(name for name in demand.unknown if not _ignored(view, name))])
