"""Run files, and what they can be turned into."""
