"""Kubernetes objects, and the services that a node's proxier makes of them."""
