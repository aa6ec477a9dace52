"""``cnbench init``: the suite in somebody else's repository."""
