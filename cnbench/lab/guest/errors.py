"""The one error of the guest lab."""

from __future__ import annotations

from collections.abc import Sequence

from cnbench.core.errors import CnbenchError


class GuestError(CnbenchError):
    """A guest could not be built, did not start, or came to a bad end.

    Attributes:
        console: the last lines of the guest's console, oldest first; empty where there was none.
    """

    def __init__(self, message: str, remedy: str = "", console: Sequence[str] = ()) -> None:
        super().__init__(message, remedy)
        self.console = tuple(console)
