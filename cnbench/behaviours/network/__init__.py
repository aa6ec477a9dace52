"""Networking: what a pod's namespace has, and how its connections behave."""
