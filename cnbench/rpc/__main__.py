"""Make calls as they are asked for, one JSON list a line: the call, its request, its namespace.

Answers with a line of JSON: when the call began and ended (ns of CLOCK_MONOTONIC), and the
response as JSON. A list of requests is made at once, and answered by a list. Beside the services'
own calls there are two: ``Subscribe`` to containerd's stream of events, and ``AwaitEvent``, whose
time is when that told it. The namespace is containerd's, and empty for others. The arguments are
the service's socket, the process not to outlive, and whether connections are "kept" or made "anew".
"""

from __future__ import annotations

import json
import os
import queue
import sys
import time
from typing import Any

import grpc
from google.protobuf import json_format

from cnbench.lab.libc import die_with_parent
from cnbench.rpc.events import Events
from cnbench.rpc.services import Method, method

# Else a channel to the same address takes over another's connection.
_ITS_OWN = (("grpc.use_local_subchannel_pool", 1),)
_PATIENCE = 120.0
_KILL = 9
_Options = dict[str, Any]


class Client:
    """The services behind a socket, over one connection."""

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
        request = json_format.ParseDict(fields, asked.request())
        options = _options(namespace)
        began = time.perf_counter_ns()
        response = self._ask(asked, request, options)
        ended = time.perf_counter_ns()
        return {"began": began, "ended": ended, "said": _as_json(response)}

    def call_together(
        self, name: str, each: list[dict[str, Any]], namespace: str
    ) -> list[dict[str, Any]]:
        """Make one call with each of the requests' fields, all at once; raises grpc.RpcError."""
        asked = method(name)
        requests = [json_format.ParseDict(fields, asked.request()) for fields in each]
        caller, options = self._caller(asked), _options(namespace)
        answers = [_Answer(caller, request, options) for request in requests]
        return [answer.wait() for answer in answers]

    def _ask(self, asked: Method, request: Any, options: _Options) -> Any:
        return self._caller(asked)(request, **options)

    def _caller(self, asked: Method) -> Any:
        if asked.path not in self._calls:
            self._calls[asked.path] = _caller(self._channel, asked)
        return self._calls[asked.path]


class _Answer:
    """The answer to a call that is made now, and when it comes."""

    def __init__(self, caller: Any, request: Any, options: _Options) -> None:
        self._ended = queue.SimpleQueue[int]()
        self._began = time.perf_counter_ns()
        self._call = caller.future(request, **options)
        self._call.add_done_callback(lambda call: self._ended.put(time.perf_counter_ns()))

    def wait(self) -> dict[str, Any]:
        """The times and the response; raises grpc.RpcError."""
        response = self._call.result()
        return {"began": self._began, "ended": self._ended.get(), "said": _as_json(response)}


class AnewClient(Client):
    """The same over a connection for each call, which is closed with it."""

    def __init__(self, socket: str) -> None:
        super().__init__(socket)
        self._socket = socket

    def _ask(self, asked: Method, request: Any, options: _Options) -> Any:
        with grpc.insecure_channel(f"unix:{self._socket}", options=_ITS_OWN) as channel:
            return _caller(channel, asked)(request, **options)


_CLIENTS = {"kept": Client, "anew": AnewClient}


def _options(namespace: str) -> _Options:
    metadata = [("containerd-namespace", namespace)] if namespace else None
    return {"timeout": _PATIENCE, "wait_for_ready": True, "metadata": metadata}


def _caller(channel: grpc.Channel, asked: Method) -> Any:
    return channel.unary_unary(
        asked.path,
        request_serializer=asked.request.SerializeToString,
        response_deserializer=asked.response.FromString,
    )


def _as_json(told: Any) -> dict[str, Any]:
    said: dict[str, Any] = json_format.MessageToDict(told, preserving_proto_field_name=True)
    return said


def main() -> None:
    """Answer until the standard input ends."""
    socket, parent, connections = sys.argv[1:]
    die_with_parent(_KILL)
    if os.getppid() != int(parent):
        return
    client = _CLIENTS[connections](socket)
    for line in sys.stdin:
        name, fields, namespace = json.loads(line)
        try:
            if name == "Subscribe":
                answer = client.subscribe()
            elif name == "AwaitEvent":
                answer = client.await_event(**fields)
            elif isinstance(fields, list):
                answer = {"all": client.call_together(name, fields, namespace)}
            else:
                answer = client.call(name, fields, namespace)
        except TimeoutError as error:
            answer = {"refused": str(error)}
        except grpc.RpcError as error:
            answer = {"refused": f"{error.code().name}: {error.details()}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
