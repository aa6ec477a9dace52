"""What is asked of a scheduler: why a pod goes where it goes, and what a change would do."""
