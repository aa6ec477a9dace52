"""The API server's audit: who asked for what, and when that came in and was done."""

from __future__ import annotations

import calendar
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Times of requests, not what is in them (k8s.io/apiserver, pkg/apis/audit/v1).
_POLICY = {
    "apiVersion": "audit.k8s.io/v1", "kind": "Policy", "rules": [{"level": "Metadata"}],
}  # fmt: skip
COMPLETE = "ResponseComplete"


@dataclass(frozen=True)
class Line:
    """One stage of one request; times in ns of CLOCK_REALTIME, of which the server keeps µs.

    Attributes:
        request: which one: the same for all its stages.
        stage: COMPLETE when all was answered.
        at: when that was.
        came: when the request came in.
        verb: as Kubernetes says: create, list, ...
        resource: of the object, its subresource behind a slash.
        namespace: of the object.
        name: of the object, where the request had it.
        user: who asked.
        code: the HTTP status, 0 before there is one.
    """

    request: str
    stage: str
    at: int
    came: int
    verb: str
    resource: str
    namespace: str
    name: str
    user: str
    code: int


class Audit:
    """An audit log that is being written."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._position = 0

    def skip(self) -> None:
        """Do not give what is there by now."""
        self._position = self._path.stat().st_size if self._path.exists() else 0

    def new_lines(self) -> Iterator[Line]:
        """What was written since this was asked last, whole lines alone."""
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            file.seek(self._position)
            for text in file:
                if not text.endswith(b"\n"):
                    return
                self._position += len(text)
                yield _line(json.loads(text))


def audit_options(folder: Path) -> tuple[str, ...]:
    """What an API server is told so that it writes its audit into ``folder``."""
    policy = folder / "audit-policy.json"
    policy.write_text(json.dumps(_POLICY))
    return f"--audit-policy-file={policy}", f"--audit-log-path={audit_path(folder)}"


def audit_path(folder: Path) -> Path:
    """Where it writes it."""
    return folder / "audit.log"


def _line(said: dict[str, Any]) -> Line:
    about = said.get("objectRef", {})
    resource = about.get("resource", "")
    if about.get("subresource"):
        resource += f"/{about['subresource']}"
    return Line(
        request=said["auditID"],
        stage=said["stage"],
        at=nanoseconds(said["stageTimestamp"]),
        came=nanoseconds(said["requestReceivedTimestamp"]),
        verb=said["verb"],
        resource=resource,
        namespace=about.get("namespace", ""),
        name=about.get("name", ""),
        user=said["user"].get("username", ""),
        code=said.get("responseStatus", {}).get("code", 0),
    )


def nanoseconds(text: str) -> int:
    """A time as the API server writes it (RFC 3339 with microseconds, UTC), in ns since 1970."""
    whole, _, fraction = text.rstrip("Z").partition(".")
    seconds = calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S"))
    return seconds * 1_000_000_000 + int(fraction.ljust(9, "0") if fraction else 0)
