"""QEMU's monitor, as far as a guest needs it (QEMU Machine Protocol reference manual)."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

from cnbench.lab.guest.channel import Channel, Message
from cnbench.lab.guest.errors import GuestError

_ANSWER_SECONDS = 60
_TRANSFER_SECONDS = 120
_POLL_SECONDS = 0.005
_UNLIMITED = 1 << 40  # bytes a second; the default would pace the write of a file


class Monitor:
    """Commands to a running QEMU over its monitor's socket."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def greet(self) -> None:
        """Read QEMU's greeting and leave the negotiation; must come first."""
        self._channel.receive(_ANSWER_SECONDS)
        self.command("qmp_capabilities")

    def command(
        self, name: str, arguments: Message | None = None, descriptors: Sequence[int] = ()
    ) -> Message:
        """Carry out one command and give its result; events that come between are passed over.

        Raises:
            GuestError: QEMU refused it, or has gone.
        """
        self._channel.send({"execute": name, "arguments": arguments or {}}, descriptors)
        while True:
            answer = self._channel.receive(_ANSWER_SECONDS)
            if "error" in answer:
                raise GuestError(f"QEMU refused {name}: {answer['error']['desc']}")
            if "return" in answer:
                result = answer["return"]
                return result if isinstance(result, dict) else {}

    def save(self, path: Path) -> None:
        """Stop the machine and write all of its state to ``path``; it stays stopped.

        Raises:
            GuestError: the state could not be written.
        """
        self.command("stop")
        with path.open("wb") as file:
            self.command("getfd", {"fdname": "state"}, [file.fileno()])
            self.command("migrate-set-parameters", {"max-bandwidth": _UNLIMITED})
            self.command("migrate", {"uri": "fd:state"})
            self._wait_for("query-migrate", "completed", wrong=("failed", "cancelled"))
            os.fsync(file.fileno())

    def resume_restored(self) -> None:
        """Let a machine that was started with a saved state go on.

        Only a machine whose state has been read completely may be told to: before that QEMU takes
        the command and the machine never runs.
        """
        self._wait_for("query-status", "paused", wrong=("internal-error", "shutdown"))
        self.command("cont")

    def _wait_for(self, query: str, wanted: str, wrong: tuple[str, ...]) -> None:
        deadline = time.monotonic() + _TRANSFER_SECONDS
        while (answer := self.command(query)).get("status") != wanted:
            if answer.get("status") in wrong or time.monotonic() > deadline:
                reason = answer.get("error-desc", f"its status is {answer.get('status')}")
                raise GuestError(f"the guest's state was not transferred: {reason}")
            time.sleep(_POLL_SECONDS)
