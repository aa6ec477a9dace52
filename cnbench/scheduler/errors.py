"""What went wrong with the input, and exactly where."""


class SchedulerInputError(ValueError):
    """A node, pod, selector or trace that cannot be used as given.

    The message starts with the object ("pod default/web-1", "row 17") and the field
    ("affinity.nodeAffinity...operator"), both also kept as attributes.
    """

    def __init__(self, where: str, field: str, problem: str) -> None:
        super().__init__(f"{where}: {field}: {problem}")
        self.where = where
        self.field = field
        self.problem = problem

    def inside(self, where: str, field: str = "") -> "SchedulerInputError":
        """The same error, told from the object that contains this one."""
        path = ".".join(part for part in (field, self.field) if part)
        return SchedulerInputError(where, path, self.problem)


class NotPlacedError(KeyError):
    """A pod was to be removed that is not in the cluster."""

    def __init__(self, pod: str) -> None:
        super().__init__(pod)
        self.pod = pod

    def __str__(self) -> str:
        return f"pod {self.pod} is not placed in this cluster; place or add it first"


class UnknownNodeError(KeyError):
    """A node was named that is not in the cluster."""

    def __init__(self, node: int | str, nodes: int) -> None:
        super().__init__(node)
        self.node = node
        self._nodes = nodes

    def __str__(self) -> str:
        if isinstance(self.node, str):
            return f"there is no node {self.node!r} among the {self._nodes} of this cluster"
        return f"there is no node number {self.node}; the numbers are 0 to {self._nodes - 1}"
