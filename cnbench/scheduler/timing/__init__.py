"""What of the scheduler is timed, and timing it outside of an experiment."""
