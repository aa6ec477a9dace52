"""Certificates of a control plane's own, made when it starts and gone when it ends."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from cnbench.lab import commands

# Members may do everything, whatever the roles say (k8s.io/apiserver, pkg/authentication/user).
MASTERS = "system:masters"
_DAYS = "2"
_NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


@dataclass(frozen=True)
class Pair:
    """A certificate and its private key, as files."""

    certificate: Path
    key: Path


class Certificates:
    """An authority of its own, and what it signs. Use ``make_certificates``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.authority = self._pair("authority")
        self.server = self._pair("server")
        # Service accounts' tokens are signed with it; RSA, as every release takes.
        self.accounts = folder / "accounts.key"

    def client(self, name: str, group: str = "") -> Pair:
        """What proves its owner to be the user ``name``, of ``group``; made at first use.

        Raises:
            CommandError: openssl cannot make it.
        """
        pair = self._pair(name.replace(":", "-"))
        if not pair.certificate.exists():
            belongs = f"/O={group}" if group else ""
            self.sign(pair, f"{belongs}/CN={name}", "extendedKeyUsage=clientAuth")
        return pair

    def kubeconfig(self, url: str, pair: Pair) -> Path:
        """A file that tells a client of Kubernetes where the server is, and who it is itself."""
        path = pair.key.with_suffix(".kubeconfig")
        cluster = {"server": url, "certificate-authority": str(self.authority.certificate)}
        user = {"client-certificate": str(pair.certificate), "client-key": str(pair.key)}
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "cnbench", "cluster": cluster}],
            "users": [{"name": "cnbench", "user": user}],
            "contexts": [{"name": "cnbench", "context": {"cluster": "cnbench", "user": "cnbench"}}],
            "current-context": "cnbench",
        }
        path.write_text(json.dumps(content))  # JSON is YAML
        return path

    def sign(self, pair: Pair, subject: str, *extensions: str) -> None:
        """Make ``pair`` for ``subject``, signed by the authority; raises CommandError."""
        authority = ("-CA", str(self.authority.certificate), "-CAkey", str(self.authority.key))
        self.make(pair, subject, *authority, *_each("-addext", extensions))

    def make(self, pair: Pair, subject: str, *options: str) -> None:
        """Make ``pair``; raises CommandError."""
        files = ("-keyout", str(pair.key), "-out", str(pair.certificate))
        what = ("-days", _DAYS, "-subj", subject)
        commands.run(["openssl", "req", "-x509", *_NEW_KEY, *what, *files, *options])

    def _pair(self, name: str) -> Pair:
        return Pair(self._folder / f"{name}.crt", self._folder / f"{name}.key")


def make_certificates(folder: Path) -> Certificates:
    """An authority, a server's certificate for loopback, and a key, in the empty ``folder``.

    Raises:
        UnsupportedError: openssl is not installed.
        CommandError: it cannot make them.
    """
    made = Certificates(folder)
    made.make(made.authority, "/CN=cnbench")
    names = "subjectAltName=IP:127.0.0.1,DNS:localhost"
    made.sign(made.server, "/CN=127.0.0.1", names, "basicConstraints=CA:FALSE")
    commands.run(["openssl", "genrsa", "-out", str(made.accounts), "2048"])
    return made


def _each(option: str, values: tuple[str, ...]) -> list[str]:
    return [word for value in values for word in (option, value)]
