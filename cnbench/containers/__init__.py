"""Container runtimes as they are: one image, in namespaces of the run's own, and who starts it."""
