"""Who says that pods run where there is no kubelet: their status is written once they are bound.

A controller that waits for a pod waits for its status, and nothing else. A pod that is not to be
started again has ended at once; any other is ready at once. What a kubelet and a runtime take for
that is in no figure, and is ``container-start``'s and ``pleg``'s to say.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from cnbench.control_plane.api.client import Client

_MERGE = "application/merge-patch+json"
_NOT_FOUND = 404
_SECONDS = 86_400  # longer than any sample


@dataclass
class Attendant:
    """Attends to all pods of a namespace. Use ``open_attendant``.

    Attributes:
        path: of the collection of pods.
        attended: the pods whose status was written, by uid.
    """

    path: str
    attended: set[str] = field(default_factory=set)

    def attend(self, watching: Client, writing: Client) -> None:
        """Write the status of each pod that is bound, until ``watching`` is shut.

        Raises:
            CnbenchError: the API server refuses one.
        """
        said = watching.get(self.path)
        for pod in said["items"]:
            self._see(pod, writing)
        version = said["metadata"]["resourceVersion"]
        query = f"watch=true&resourceVersion={version}&timeoutSeconds={_SECONDS}"
        for line in watching.lines(f"{self.path}?{query}"):
            event = json.loads(line)
            if event["type"] in ("ADDED", "MODIFIED"):
                self._see(event["object"], writing)

    def _see(self, pod: dict[str, Any], writing: Client) -> None:
        about = pod["metadata"]
        if not pod["spec"].get("nodeName") or about["uid"] in self.attended:
            return
        self.attended.add(about["uid"])
        path = f"{self.path}/{about['name']}/status"
        reply = writing.ask("PATCH", path, {"status": _status(pod)}, content=_MERGE)
        if reply.status not in (200, _NOT_FOUND):  # it may be gone already
            reply.demanded(f"PATCH {path}")


def _status(pod: dict[str, Any]) -> dict[str, Any]:
    """What a kubelet says of a pod whose containers run; or ended, if they are to run once."""
    if pod["spec"]["restartPolicy"] == "Never":
        return {"phase": "Succeeded"}
    return {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}


@contextlib.contextmanager
def open_attendant(connect: Callable[[], Client], path: str) -> Iterator[Attendant]:
    """Have the pods at ``path`` attended to, beside what is done inside.

    Args:
        connect: makes a connection of one who may write pods' statuses.
        path: of the collection of pods.

    Raises:
        CnbenchError: the API server refused something, or is gone.
    """
    attendant = Attendant(path)
    with (
        connect() as watching,
        connect() as writing,
        concurrent.futures.ThreadPoolExecutor(1) as beside,
    ):
        attending = beside.submit(attendant.attend, watching, writing)
        try:
            yield attendant
        finally:
            watching.shut()
        attending.result()
