"""Mounts: what they take, and who may make them."""
