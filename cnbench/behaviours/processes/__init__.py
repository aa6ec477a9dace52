"""Processes: descriptors of them, and what they may do."""
