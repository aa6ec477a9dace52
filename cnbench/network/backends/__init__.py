"""One small file a backend: each has a ``BACKEND``, and is found by that."""
