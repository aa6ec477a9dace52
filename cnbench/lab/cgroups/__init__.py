"""Cgroups: where each controller is, in which version, and the groups of a run's own."""
