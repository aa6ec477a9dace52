"""What went wrong with the input, and exactly where: usage errors of cnbench's one error tree.

They are Python's own kinds of error as well (ValueError, KeyError), for callers who know nothing of
cnbench.
"""

from __future__ import annotations

from cnbench.core.errors import UsageError


class SchedulerInputError(UsageError, ValueError):
    """A node, pod, selector or trace that cannot be used as given.

    The message starts with the object ("pod default/web-1", "row 17") and the field
    ("affinity.nodeAffinity...operator"), both also kept as attributes.
    """

    def __init__(self, where: str, field: str, problem: str) -> None:
        super().__init__(f"{where}: {field}: {problem}")
        self.where = where
        self.field = field
        self.problem = problem

    def inside(self, where: str, field: str = "") -> SchedulerInputError:
        """The same error, told from the object that contains this one."""
        path = ".".join(part for part in (field, self.field) if part)
        return SchedulerInputError(where, path, self.problem)


class NotPlacedError(UsageError, KeyError):
    """A pod was to be removed that is not in the cluster."""

    def __init__(self, pod: str) -> None:
        super().__init__(f"pod {pod} is not placed in this cluster", "place or add it first")
        self.pod = pod

    def __str__(self) -> str:
        return f"pod {self.pod} is not placed in this cluster; place or add it first"


class UnknownNodeError(UsageError, KeyError):
    """A node was named that is not in the cluster."""

    def __init__(self, node: int | str, nodes: int) -> None:
        super().__init__(f"no node {node!r} among the {nodes} of this cluster")
        self.node = node
        self._nodes = nodes

    def __str__(self) -> str:
        if isinstance(self.node, str):
            return f"there is no node {self.node!r} among the {self._nodes} of this cluster"
        return f"there is no node number {self.node}; the numbers are 0 to {self._nodes - 1}"


class UnmodelledWarning(UserWarning):
    """A field that the scheduler here does not heed, though kube-scheduler may."""
