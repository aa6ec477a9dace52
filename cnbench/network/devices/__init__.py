"""Network devices: made and set, and what the kernel does with their packets."""
