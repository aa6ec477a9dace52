"""Node labels, interned: every (key, value) is a small integer, every key used a column of codes.

All labels are kept in two flat arrays, a node's labels side by side; a key becomes a column of
codes (8 B a node) when a pod first asks for it. Columns use numpy's index type so that gathering
by them converts nothing.
"""

from collections.abc import Iterable, Sequence
from functools import cached_property

import numpy as np

from cnbench.scheduler import loops
from cnbench.scheduler.columns.arrays import Codes, Ints, Mask, Shorts
from cnbench.scheduler.model.objects import Node
from cnbench.scheduler.model.selectors import Requirement, parse_int64

# Kubernetes' zone labels, the deprecated ones read first (component-helpers, node/topology).
ZONE_KEYS = ("failure-domain.beta.kubernetes.io/zone", "topology.kubernetes.io/zone")
REGION_KEYS = ("failure-domain.beta.kubernetes.io/region", "topology.kubernetes.io/region")
HOSTNAME = "kubernetes.io/hostname"
# A column of (region, zone) pairs, for SelectorSpread; no label can have this name.
ZONE = "\0zone"


class LabelColumn:
    """One label key over all nodes.

    Attributes:
        values: the distinct values, in the order of the first node that has them.
        codes: for each node the number of its value; `missing` where it has none.
        missing: the code past the last value, so that tables over values have one row more.
        identity: whether node i has value i, so that a table over values is one over nodes.
    """

    def __init__(self, values: Sequence[str], codes: Codes) -> None:
        self.values = values
        self.codes = codes
        self.missing = len(values)
        self.identity = len(values) == len(codes) and bool((codes == np.arange(len(codes))).all())
        self.complete = not bool((codes == self.missing).any())

    @cached_property
    def present(self) -> Mask:
        """The nodes that have the label."""
        present: Mask = self.codes != self.missing
        return present

    @cached_property
    def _code_of(self) -> dict[str, int]:
        return {value: code for code, value in enumerate(self.values)}

    @cached_property
    def _numbers(self) -> tuple[Ints, Mask]:
        parsed = [parse_int64(value) for value in self.values]
        known = np.array([number is not None for number in parsed], dtype=bool)
        return np.array([number or 0 for number in parsed], dtype=np.int64), known

    def where(self, requirement: Requirement) -> Mask:
        """The nodes whose label satisfies the requirement (bool, one per node)."""
        return loops.looked_up(self.accepted(requirement), self.codes)

    def accepted(self, requirement: Requirement) -> Mask:
        """Which values satisfy the requirement; the last entry stands for no label."""
        operator = requirement.operator
        accepted = np.zeros(self.missing + 1, dtype=bool)
        if operator in ("In", "NotIn"):
            for value in requirement.values:
                code = self._code_of.get(value)
                if code is not None:
                    accepted[code] = True
        elif operator in ("Exists", "DoesNotExist"):
            accepted[:-1] = True
        else:
            numbers, known = self._numbers
            bound = int(requirement.values[0])
            above = numbers > bound if operator == "Gt" else numbers < bound
            accepted[:-1] = above & known
        return ~accepted if operator in ("NotIn", "DoesNotExist") else accepted


class NodeLabels:
    """The labels of all nodes of a cluster."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        self._size = len(nodes)
        self._keys: dict[str, int] = {}
        self._codes_of: list[dict[str, int]] = []
        self._pair_keys, self._pair_codes = self._intern(nodes)
        counts = np.fromiter((len(node.labels) for node in nodes), dtype=np.int32, count=self._size)
        self._pair_ends = np.cumsum(counts, dtype=np.int64)
        self._columns: dict[str, LabelColumn] = {}

    def _intern(self, nodes: Iterable[Node]) -> tuple[Shorts, Shorts]:
        keys: list[int] = []
        codes: list[int] = []
        for node in nodes:
            for name, value in node.labels.items():
                key = self._keys.get(name)
                if key is None:
                    key = self._keys[name] = len(self._keys)
                    self._codes_of.append({})
                known = self._codes_of[key]
                keys.append(key)
                codes.append(known.setdefault(value, len(known)))
        return np.array(keys, dtype=np.int32), np.array(codes, dtype=np.int32)

    def column(self, key: str) -> LabelColumn:
        """The column of a label key; of a key no node has, one in which all are missing."""
        column = self._columns.get(key)
        if column is None:
            column = self._zones() if key == ZONE else self._build(key)
            self._columns[key] = column
        return column

    def _build(self, name: str) -> LabelColumn:
        key = self._keys.get(name, -1)
        values = list(self._codes_of[key]) if key >= 0 else []
        codes = np.full(self._size, len(values), dtype=np.intp)
        pairs = np.nonzero(self._pair_keys == key)[0]
        codes[np.searchsorted(self._pair_ends, pairs, side="right")] = self._pair_codes[pairs]
        return LabelColumn(values, codes)

    def _zones(self) -> LabelColumn:
        """Region and zone together, as Kubernetes' GetZoneKey joins them."""
        zones, regions = self._first_of(ZONE_KEYS), self._first_of(REGION_KEYS)
        names: dict[tuple[str, str], int] = {}
        pairs = list(zip(regions, zones, strict=True))
        for pair in pairs:
            if pair != ("", ""):
                names.setdefault(pair, len(names))
        codes = np.array([names.get(pair, len(names)) for pair in pairs], dtype=np.intp)
        return LabelColumn([f"{region}/{zone}" for region, zone in names], codes)

    def _first_of(self, keys: Sequence[str]) -> list[str]:
        """For each node the value of the first of these labels that it has, else ""."""
        found = [""] * self._size
        for key in reversed(keys):
            column = self.column(key)
            for node, code in enumerate(column.codes.tolist()):
                if code != column.missing:
                    found[node] = column.values[code]
        return found
