"""A client of the Container Runtime Interface, in a process of its own: ``python -m cnbench.cri``.

The measuring side runs in guests, which have no gRPC, and starts this where there is one.
"""
