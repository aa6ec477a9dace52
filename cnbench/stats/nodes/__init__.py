"""Nodes as what was drawn: how they differ, which are odd, and what those have in common."""
