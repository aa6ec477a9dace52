"""What a kernel does, asked by probes: the same questions on one kernel after another."""
