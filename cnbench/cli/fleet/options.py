"""Options by which a fleet's commands reach its scheduler."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from cnbench.core.errors import UnsupportedError, UsageError

if TYPE_CHECKING:
    from cnbench.fleet.connecting import Credentials

F = TypeVar("F", bound=Callable[..., Any])

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


def tls_options(command: F) -> F:
    """What this end shows for itself to a scheduler at tls://, called as Dask's own options."""
    for name, what in (
        ("--tls-key", "The private key of this end, for a scheduler at tls://."),
        ("--tls-cert", "The certificate of this end."),
        ("--tls-ca-file", "The authority that all ends' certificates are of."),
    ):
        command = click.option(name, type=_FILE, metavar="FILE", help=what)(command)
    return command


def credentials_of(
    tls_ca_file: Path | None, tls_cert: Path | None, tls_key: Path | None
) -> Credentials | None:
    """The credentials that were given, or None.

    Raises:
        UsageError: some of them are missing.
    """
    from cnbench.fleet.connecting import Credentials

    if tls_ca_file and tls_cert and tls_key:
        return Credentials(tls_ca_file, tls_cert, tls_key)
    if tls_ca_file or tls_cert or tls_key:
        raise UsageError(
            "TLS takes --tls-ca-file, --tls-cert and --tls-key", "give all three, or none"
        )
    return None


def require_dask() -> None:
    """Raise UnsupportedError where Dask's scheduler is not installed, which is an extra."""
    try:
        import distributed  # noqa: F401
    except ImportError as error:
        raise UnsupportedError(
            f"a fleet needs Dask's distributed scheduler: {error}", "pip install 'cnbench[fleet]'"
        ) from error
