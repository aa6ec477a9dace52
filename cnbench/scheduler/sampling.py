"""How many nodes kube-scheduler looks at for one pod.

Source: kubernetes schedule_one.go, numFeasibleNodesToFind: it stops looking once it has found so
many feasible nodes, and starts the next search after the last node it looked at.
"""

MIN_FEASIBLE_NODES = 100
MIN_PERCENTAGE = 5
ADAPTIVE = 0
EVERY_NODE = 100


def adaptive_percentage(nodes: int) -> int:
    """Kubernetes' percentage of nodes to score: 50 less one per 125 nodes, at least 5."""
    return max(MIN_PERCENTAGE, 50 - nodes // 125)


def nodes_to_find(nodes: int, percentage: int = ADAPTIVE) -> int:
    """How many feasible nodes are enough, of a cluster with so many nodes.

    Args:
        nodes: the cluster's size.
        percentage: 1 to 100; 0 means the adaptive percentage.
    """
    if nodes < MIN_FEASIBLE_NODES or percentage >= EVERY_NODE:
        return nodes
    share = percentage if percentage > 0 else adaptive_percentage(nodes)
    return max(MIN_FEASIBLE_NODES, nodes * share // 100)
