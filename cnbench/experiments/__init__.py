"""One file a primitive: what is measured, how, and why it can be believed."""
