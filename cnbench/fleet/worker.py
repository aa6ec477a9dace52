"""Being a worker: this machine measures what a scheduler hands out."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import uuid
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import dask
from distributed import Security, Worker
from distributed.utils import get_ip

from cnbench.core import stopping
from cnbench.core.errors import CnbenchError
from cnbench.fleet import errands
from cnbench.fleet.connecting import (
    SECONDS_TO_CONNECT,
    SETTINGS,
    Credentials,
    check_address,
    quieten,
)
from cnbench.lab.own_folder import own_folder


def serve(
    address: str, slots: int, credentials: Credentials | None, ready: Callable[[str], None]
) -> None:
    """Be a worker of the scheduler at ``address``, until asked to stop.

    It takes ``slots`` groups at once, and listens where the scheduler can be reached from alone.
    ``ready`` is told what the worker is called, once it is one.

    Raises:
        UsageError: it is no address of a scheduler.
        CnbenchError: no lab can be opened here; there is no scheduler, or it has gone.
        KeyboardInterrupt: it was asked to stop, and has.
    """
    check_address(address, credentials)
    quieten()
    made = errands.offer()
    with own_folder() as folder, dask.config.set(SETTINGS):
        options = {
            "nthreads": slots,
            "name": f"{made.node} {uuid.uuid4().hex[:4]}",
            "resources": made.resources(),
            # What takes memory are the processes beside it, which Dask does not look at.
            "memory_limit": None,
            "host": get_ip(urlsplit(address).hostname or ""),
            "dashboard": False,
            "local_directory": str(folder),
            "security": credentials.security() if credentials else Security(),
            "death_timeout": SECONDS_TO_CONNECT,
        }
        try:
            stopped = asyncio.run(_work(address, options, ready))
        except (OSError, TimeoutError) as error:
            raise CnbenchError(
                f"no scheduler answers at {address}: {error}",
                "start it first: dask scheduler --host ADDRESS",
            ) from error
    if stopped:
        raise KeyboardInterrupt
    raise CnbenchError(f"the scheduler at {address} has gone", "start this worker again with it")


async def _work(address: str, options: dict[str, Any], ready: Callable[[str], None]) -> bool:
    """Work until asked to stop, or until the scheduler has gone; gives whether it was asked."""
    asked = asyncio.Event()
    with _setting_on_signals(asked):
        async with Worker(address, **options) as worker:
            ready(str(worker.name))
            ends = (asyncio.ensure_future(asked.wait()), asyncio.ensure_future(worker.finished()))
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    for end in ends:
        end.cancel()
    return asked.is_set()


@contextlib.contextmanager
def _setting_on_signals(asked: asyncio.Event) -> Iterator[None]:
    """Have a signal set ``asked``: an exception amid the loop would leave a half-closed worker."""
    loop = asyncio.get_running_loop()
    heard = [n for n in stopping.SIGNALS if signal.getsignal(n) != signal.SIG_IGN]
    before = {number: signal.getsignal(number) for number in heard}
    for number in heard:
        loop.add_signal_handler(number, asked.set)
    try:
        yield
    finally:
        for number, handler in before.items():
            loop.remove_signal_handler(number)
            signal.signal(number, handler)
