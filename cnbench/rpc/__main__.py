"""Make calls as they are asked for, one JSON list a line: the call, its request, its namespace.

Answers with a line of JSON: when the call began and ended (ns of CLOCK_MONOTONIC), and the
response as JSON. Beside the services' own calls there are two: ``Subscribe`` to containerd's
stream of events, and ``AwaitEvent``, whose time is when that told it. The namespace is
containerd's, and empty for the CRI. The arguments are the runtime's socket, and the process not to
outlive.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

import grpc
from google.protobuf import json_format

from cnbench.lab.libc import die_with_parent
from cnbench.rpc.events import Events
from cnbench.rpc.services import method

_PATIENCE = 120.0
_KILL = 9


class Client:
    """The services behind a socket."""

    def __init__(self, socket: str) -> None:
        self._channel = grpc.insecure_channel(f"unix:{socket}")
        self._calls: dict[str, Any] = {}
        self._events: Events | None = None

    def subscribe(self) -> dict[str, Any]:
        """Listen to events from now on."""
        began = time.perf_counter_ns()
        self._events = Events(self._channel)
        return {"began": began, "ended": time.perf_counter_ns(), "said": {}}

    def await_event(self, topic: str, container_id: str, within: float) -> dict[str, Any]:
        """When an event told of a container; raises TimeoutError."""
        if self._events is None:
            raise TimeoutError("nobody listens to events")
        heard, told = self._events.wait(topic, container_id, within)
        return {"began": heard, "ended": heard, "said": _as_json(told)}

    def call(self, name: str, fields: dict[str, Any], namespace: str) -> dict[str, Any]:
        """Make one call with the request's ``fields``; raises grpc.RpcError."""
        asked = method(name)
        if name not in self._calls:
            self._calls[name] = self._channel.unary_unary(
                asked.path,
                request_serializer=asked.request.SerializeToString,
                response_deserializer=asked.response.FromString,
            )
        request = json_format.ParseDict(fields, asked.request())
        metadata = [("containerd-namespace", namespace)] if namespace else None
        began = time.perf_counter_ns()
        response = self._calls[name](
            request, timeout=_PATIENCE, wait_for_ready=True, metadata=metadata
        )
        ended = time.perf_counter_ns()
        return {"began": began, "ended": ended, "said": _as_json(response)}


def _as_json(told: Any) -> dict[str, Any]:
    said: dict[str, Any] = json_format.MessageToDict(told, preserving_proto_field_name=True)
    return said


def main() -> None:
    """Answer until the standard input ends."""
    socket, parent = sys.argv[1:]
    die_with_parent(_KILL)
    if os.getppid() != int(parent):
        return
    client = Client(socket)
    for line in sys.stdin:
        name, fields, namespace = json.loads(line)
        try:
            if name == "Subscribe":
                answer = client.subscribe()
            elif name == "AwaitEvent":
                answer = client.await_event(**fields)
            else:
                answer = client.call(name, fields, namespace)
        except TimeoutError as error:
            answer = {"refused": str(error)}
        except grpc.RpcError as error:
            answer = {"refused": f"{error.code().name}: {error.details()}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
