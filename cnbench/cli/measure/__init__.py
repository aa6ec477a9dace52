"""Commands that measure, and what a user sees meanwhile."""
