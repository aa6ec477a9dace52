"""A fleet: runs of many nodes, the node being what was drawn."""
