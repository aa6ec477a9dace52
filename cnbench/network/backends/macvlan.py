"""macvlan: each pod has a device on the underlay itself, of a MAC address of its own.

There is no bridge and no route in the node: the underlay is the pods' own network.
"""

from __future__ import annotations

from cnbench.network.backend import Backend
from cnbench.network.on_underlay import backend_on_underlay

BACKEND: Backend = backend_on_underlay(
    "macvlan", "pods on the underlay, of a MAC address of its own"
)
