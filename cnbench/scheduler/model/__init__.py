"""Nodes, pods and the rules they carry, as plain dataclasses named after Kubernetes' fields."""
