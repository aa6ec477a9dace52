"""Calls of gRPC services, made by a process of its own: ``python -m cnbench.rpc``.

The measuring side runs in guests, which have no gRPC, and starts this where there is one.
"""
