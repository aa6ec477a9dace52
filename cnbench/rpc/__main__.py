"""Make calls of the CRI as they are asked for, one JSON list a line: the call, and its request.

Answers with a line of JSON: when the call began and ended (ns of CLOCK_MONOTONIC), and the
response as JSON. Beside the interface's own calls there are two: ``Subscribe`` to containerd's
stream of events, and ``AwaitExit``, whose time is when that told the end of a container.
The arguments are the runtime's socket, and the process not to outlive.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from typing import Any

import grpc
from google.protobuf import json_format

from cnbench.rpc.messages import PACKAGE, message
from cnbench.lab.libc import die_with_parent

_PATIENCE = 120.0
_KILL = 9
_EXIT = "/tasks/exit"


class Exits:
    """The ends of containers, as containerd's stream of events tells them."""

    def __init__(self, channel: grpc.Channel) -> None:
        self._told: dict[str, tuple[int, int]] = {}
        self._news = threading.Condition()
        subscribe = channel.unary_stream(
            "/containerd.services.events.v1.Events/Subscribe",
            request_serializer=message("SubscribeRequest").SerializeToString,
            response_deserializer=message("Envelope").FromString,
        )
        stream = subscribe(message("SubscribeRequest")(filters=[f'topic=="{_EXIT}"']))
        threading.Thread(target=self._listen, args=(stream,), daemon=True).start()

    def _listen(self, stream: Any) -> None:
        for envelope in stream:
            heard = time.perf_counter_ns()
            told = message("TaskExit").FromString(envelope.event.value)
            with self._news:
                self._told[told.container_id] = (heard, told.exit_status)
                self._news.notify_all()

    def wait(self, container: str, within: float) -> dict[str, Any]:
        """When the end of ``container`` was told; raises TimeoutError after ``within`` seconds."""
        with self._news:
            if not self._news.wait_for(lambda: container in self._told, within):
                raise TimeoutError(f"no event told the end of {container}")
            heard, status = self._told.pop(container)
        return {"began": heard, "ended": heard, "said": {"exit_code": status}}


class Client:
    """The runtime's service behind a socket."""

    def __init__(self, socket: str) -> None:
        self._channel = grpc.insecure_channel(f"unix:{socket}")
        self._calls: dict[str, Any] = {}
        self._exits: Exits | None = None

    def subscribe(self) -> dict[str, Any]:
        """Listen to the ends of containers from now on."""
        began = time.perf_counter_ns()
        self._exits = Exits(self._channel)
        return {"began": began, "ended": time.perf_counter_ns(), "said": {}}

    def await_exit(self, container_id: str, within: float) -> dict[str, Any]:
        """When the end of a container was told; raises TimeoutError."""
        if self._exits is None:
            raise TimeoutError("nobody listens to events")
        return self._exits.wait(container_id, within)

    def call(self, name: str, fields: dict[str, Any]) -> dict[str, Any]:
        """Make one call with the request's ``fields``; raises grpc.RpcError."""
        if name not in self._calls:
            self._calls[name] = self._channel.unary_unary(
                f"/{PACKAGE}.RuntimeService/{name}",
                request_serializer=message(f"{name}Request").SerializeToString,
                response_deserializer=message(f"{name}Response").FromString,
            )
        request = json_format.ParseDict(fields, message(f"{name}Request")())
        began = time.perf_counter_ns()
        response = self._calls[name](request, timeout=_PATIENCE, wait_for_ready=True)
        ended = time.perf_counter_ns()
        said = json_format.MessageToDict(response, preserving_proto_field_name=True)
        return {"began": began, "ended": ended, "said": said}


def main() -> None:
    """Answer until the standard input ends."""
    socket, parent = sys.argv[1:]
    die_with_parent(_KILL)
    if os.getppid() != int(parent):
        return
    client = Client(socket)
    for line in sys.stdin:
        name, fields = json.loads(line)
        try:
            if name == "Subscribe":
                answer = client.subscribe()
            elif name == "AwaitExit":
                answer = client.await_exit(**fields)
            else:
                answer = client.call(name, fields)
        except TimeoutError as error:
            answer = {"refused": str(error)}
        except grpc.RpcError as error:
            answer = {"refused": f"{error.code().name}: {error.details()}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
