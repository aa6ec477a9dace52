"""The scheduler in plain loops, without numpy: what a proof holds its answers against."""
