"""The way to an API server: of ours, in an enclave, or of the user's."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from cnbench.control_plane.api.client import Client
from cnbench.control_plane.api.stream import Stream


class Access(Protocol):
    """Makes connections to one API server, of one who may do what is asked."""

    def client(self) -> Client:
        """A connection for one request after another, to be closed by whoever asks."""

    def stream(self) -> AbstractContextManager[Stream]:
        """A connection whose pieces have the kernel's times; raises CnbenchError."""
