"""Dask's scheduler: reaching the one that was named, or having one in this process.

Whoever can talk to a scheduler can have its workers run any code, as their users: it belongs on a
network that is trusted, or behind TLS with an authority of its own. Nothing is ever looked for.
"""

from __future__ import annotations

import contextlib
import logging
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import dask
from distributed import Client, LocalCluster, Security

from cnbench.core.errors import CnbenchError, UsageError
from cnbench.fleet import errands
from cnbench.fleet.members import Member, members_of, of_code_alone, why_none
from cnbench.fleet.offers import code_digest
from cnbench.lab.own_folder import own_folder

SECONDS_TO_CONNECT = 20
_SECONDS_BETWEEN_CALLS = 2
# What schedulers and workers serve by HTTP beside their own protocol: nothing. They listen for it
# all the same, on every address unless they are told one (also where they are told None).
_NO_PAGES: dict[str, object] = {
    f"distributed.{part}.http.routes": [] for part in ("scheduler", "worker")
}
# One that waits wakes 150 times a second, for its own pages: that was 3 to 4 % of a processor, on
# a machine that is measured (2026.8, distributed.yaml).
_SELDOM_AWAKE: dict[str, object] = {
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "1s",
    "distributed.admin.system-monitor.interval": "10s",
}
SETTINGS = _NO_PAGES | _SELDOM_AWAKE
_NO_PAGES_AT = "127.0.0.1:0"


@dataclass(frozen=True)
class Credentials:
    """Files for TLS: the authority, and what this end shows for itself."""

    ca: Path
    cert: Path
    key: Path

    def security(self) -> Security:
        """The same for Dask, which then talks to nobody without."""
        ends = {
            f"tls_{end}_{what}": str(path)
            for end in ("client", "worker", "scheduler")
            for what, path in (("cert", self.cert), ("key", self.key))
        }
        return Security(tls_ca_file=str(self.ca), require_encryption=True, **ends)


@contextlib.contextmanager
def connected(address: str, credentials: Credentials | None) -> Iterator[Client]:
    """A client of the scheduler at ``address``.

    Raises:
        UsageError: it is no address of one.
        CnbenchError: none answers there.
    """
    check_address(address, credentials)
    quieten()
    security = credentials.security() if credentials else Security()
    try:
        client = Client(address, timeout=SECONDS_TO_CONNECT, security=security)
    except (OSError, ValueError, TimeoutError) as error:
        raise CnbenchError(
            f"no scheduler answers at {address}: {error}",
            "start one (`dask scheduler --host ADDRESS`), or leave out --scheduler",
        ) from error
    with client:
        yield client


@contextlib.contextmanager
def local(slots: int) -> Iterator[Client]:
    """A scheduler and one worker in this process, which nobody else can reach."""
    quieten()
    resources = errands.offer().resources()
    with (
        own_folder() as scratch,
        dask.config.set(SETTINGS),
        LocalCluster(
            n_workers=1,
            threads_per_worker=slots,
            processes=False,
            memory_limit=None,
            dashboard_address=_NO_PAGES_AT,
            worker_dashboard_address=_NO_PAGES_AT,
            resources=resources,
            local_directory=str(scratch),
            silence_logs=logging.CRITICAL,
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client


class Roll:
    """Who is there, of this cnbench; asked of the scheduler now and then."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._code = code_digest()
        self._asked = -math.inf
        self._members: list[Member] = []

    def __call__(self) -> list[Member]:
        """The members; there may be none."""
        if time.monotonic() - self._asked >= _SECONDS_BETWEEN_CALLS:
            self._members = of_code_alone(self._all(), self._code)
            self._asked = time.monotonic()
        return self._members

    def require(self) -> list[Member]:
        """The members; raises UnsupportedError where there is none, saying what is there."""
        if not (found := self()):
            raise why_none(self._all(), self._code)
        return found

    def _all(self) -> list[Member]:
        return members_of(self._client.scheduler_info(n_workers=-1))


def check_address(address: str, credentials: Credentials | None) -> None:
    """Refuse what names no scheduler, and a mixture of what is encrypted and what is not.

    Raises:
        UsageError: it is such a one.
    """
    parts = urlsplit(address)
    if parts.scheme not in ("tcp", "tls") or not parts.hostname or not parts.port:
        raise UsageError(
            f"'{address}' is no scheduler's address", "write tcp://HOST:PORT or tls://HOST:PORT"
        )
    if (parts.scheme == "tls") != (credentials is not None):
        raise UsageError(
            f"{address} and the options --tls-... do not go together",
            "tls:// takes all three of them, tcp:// takes none",
        )


def quieten() -> None:
    """Have Dask keep to itself what it notices: what concerns the user is said in our words."""
    for name in ("distributed", "tornado", "asyncio", *logging.root.manager.loggerDict):
        if name.partition(".")[0] in ("distributed", "tornado", "asyncio"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
