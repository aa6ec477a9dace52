"""Where the instructions of one case go: from a trace of its guest to functions and stacks."""
