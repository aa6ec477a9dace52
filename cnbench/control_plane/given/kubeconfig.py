"""What a kubeconfig says of a cluster, and what of it can be used."""

from __future__ import annotations

import base64
import binascii
import hashlib
import ssl
import tempfile
import urllib.parse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cnbench.core.errors import UsageError

_HTTPS = 443
# What a client would have to run, or to talk to others for: neither is done behind a user's back.
_REFUSED = ("exec", "auth-provider", "username", "password", "as")


@dataclass(frozen=True)
class Given:
    """Where a cluster's API server is, and who asks it.

    Attributes:
        host: its name or address.
        port: its port.
        context: TLS with its authority, and the user's certificate where there is one.
        token: the user's, or the empty text.
        identity: a digest of where it is and whom it is signed by, which says neither.
    """

    host: str
    port: int
    context: ssl.SSLContext
    token: str = field(repr=False)
    identity: str


def read(config: Mapping[str, Any], folder: Path) -> Given:
    """The cluster of the current context.

    Args:
        config: the file's content.
        folder: that it is in; files that it names are sought from there.

    Raises:
        UsageError: it names no cluster, or one that cannot be reached without more.
    """
    try:
        current = _named(config, "contexts", config["current-context"])["context"]
        cluster = _named(config, "clusters", current["cluster"])["cluster"]
        user = _named(config, "users", current["user"])["user"]
        url = urllib.parse.urlsplit(cluster["server"])
        host, port = url.hostname, url.port or _HTTPS
    except (KeyError, TypeError, ValueError) as error:
        raise _unusable(f"it lacks {error}") from error
    if url.scheme != "https" or not host or url.path.strip("/"):
        raise _unusable("its server is not https://HOST:PORT")
    if cluster.get("insecure-skip-tls-verify") or cluster.get("proxy-url"):
        raise _unusable("it goes by a proxy, or does not ask who the server is")
    if refused := sorted(set(user) & set(_REFUSED)):
        raise _unusable(f"its user has '{refused[0]}'")
    authority = _content(cluster, "certificate-authority", folder)
    context = ssl.create_default_context(cadata=authority.decode() or None)
    _load_user(context, user, folder)
    token = user.get("token") or _content({"f": user.get("tokenFile")}, "f", folder).decode()
    where = hashlib.sha256(f"{host}:{port}\n".encode() + authority)
    return Given(host, port, context, token.strip(), where.hexdigest()[:12])


def _load_user(context: ssl.SSLContext, user: Mapping[str, Any], folder: Path) -> None:
    certificate = _content(user, "client-certificate", folder)
    if not certificate:
        return
    key = _content(user, "client-key", folder)
    # The ssl module reads files alone.
    with tempfile.NamedTemporaryFile() as pair:
        pair.write(certificate + b"\n" + key)
        pair.flush()
        try:
            context.load_cert_chain(pair.name)
        except ssl.SSLError as error:
            raise _unusable("its user's certificate and key do not belong together") from error


def _content(about: Mapping[str, Any], name: str, folder: Path) -> bytes:
    """What is inline (``NAME-data``), or in the file ``NAME``; nothing where there is neither."""
    try:
        if data := about.get(f"{name}-data"):
            return base64.b64decode(data, validate=True)
        return (folder / about[name]).read_bytes() if about.get(name) else b""
    except (OSError, binascii.Error, TypeError) as error:
        raise _unusable(f"its {name} cannot be read: {error}") from error


def _named(config: Mapping[str, Any], kind: str, name: str) -> Mapping[str, Any]:
    entries: Sequence[Mapping[str, Any]] = config[kind]
    for entry in entries:
        if entry["name"] == name:
            return entry
    raise KeyError(f"'{name}' among its {kind}")


def _unusable(why: str) -> UsageError:
    return UsageError(
        f"this kubeconfig cannot be used: {why}",
        "give one with a server, its authority, and a certificate or a token of its user",
    )
