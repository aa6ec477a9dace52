"""Overlay file systems: what a container's writable layer comes to hold."""
