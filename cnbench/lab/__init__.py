"""Where a measurement runs, and everything it may build there."""
