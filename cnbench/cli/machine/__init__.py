"""Commands about this machine: what it can measure, its guests, and what is left on it."""
