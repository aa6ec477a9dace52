"""Writing at a rate while watches are followed, all in one thread."""

from __future__ import annotations

import contextlib
import select
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from cnbench.control_plane.api.ledger import Entry
from cnbench.control_plane.api.watcher import Watcher
from cnbench.control_plane.api.writer import Writer
from cnbench.core.errors import CnbenchError

_PATIENCE = 60.0


@dataclass
class Traffic:
    """Writers and watchers of one kind, and what was written so far. Use ``open_traffic``.

    Attributes:
        objects: how many there are to be changed, one after another.
        numbers: of writes; none comes twice, since what changes nothing is no write to the server.
        written: all writes that were answered, as they were.
    """

    writers: Sequence[Writer]
    poll: select.epoll
    objects: int
    numbers: Iterator[int]
    written: list[Entry] = field(default_factory=list)
    _watchers: dict[int, Watcher] = field(default_factory=dict)

    @contextlib.contextmanager
    def following(self, watchers: Sequence[Watcher]) -> Iterator[None]:
        """Have ``write`` follow ``watchers`` inside."""
        ours = {watcher.stream.fileno(): watcher for watcher in watchers}
        for descriptor in ours:
            self.poll.register(descriptor, select.EPOLLIN)
        self._watchers = ours
        try:
            yield
        finally:
            self._watchers = {}
            for descriptor in ours:
                with contextlib.suppress(OSError, ValueError):
                    self.poll.unregister(descriptor)

    def write(self, count: int, rate: float, until_told: bool = True) -> list[Entry]:
        """Make ``count`` changes, ``rate`` a second, until all watchers were told of them.

        Or, unless ``until_told``, until all were answered; watchers then lack some of them yet.

        A change that is late, since all writers wait for answers, is made as soon as one is free.

        Returns:
            The changes, in the order of their versions.

        Raises:
            CnbenchError: one was refused, or a watcher was not told in time.
        """
        first = len(self.written)
        begin = time.monotonic()
        sent = 0
        while (done := len(self.written) - first) < count or (until_told and not self._told()):
            now = time.monotonic()
            if now > begin + count / rate + _PATIENCE:
                raise CnbenchError(f"{done} of {count} writes were answered, or not told to all")
            while sent < count and now >= begin + sent / rate and (free := self._free()):
                sent += 1
                number = next(self.numbers)
                free.write(number % self.objects, number)
            due = begin + sent / rate - now if sent < count and self._free() else 0.1
            self._receive(max(0.0, due))
        return sorted(self.written[first:], key=lambda entry: entry.version)

    def _free(self) -> Writer | None:
        return next((writer for writer in self.writers if not writer.busy), None)

    def _told(self) -> bool:
        last = max((entry.version for entry in self.written), default=0)
        return all(watcher.version >= last for watcher in self._watchers.values())

    def _receive(self, seconds: float) -> None:
        writers = {writer.stream.fileno(): writer for writer in self.writers}
        for descriptor, _ in self.poll.poll(seconds):
            if writer := writers.get(descriptor):
                if entry := writer.receive():
                    self.written.append(entry)
            else:
                self._watchers[descriptor].receive()


@contextlib.contextmanager
def open_traffic(
    writers: Sequence[Writer], objects: int, numbers: Iterator[int]
) -> Iterator[Traffic]:
    """Traffic of ``writers``, which change the objects 0 to ``objects`` - 1."""
    with select.epoll() as poll:
        for writer in writers:
            poll.register(writer.stream.fileno(), select.EPOLLIN)
        yield Traffic(writers, poll, objects, numbers)
