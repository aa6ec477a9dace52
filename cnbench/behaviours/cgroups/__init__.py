"""Control groups: what limits mean, and what a group offers."""
