"""Make calls of the CRI as they are asked for, one JSON list a line: the call, and its request.

Answers with a line of JSON: when the call began and ended (ns of CLOCK_MONOTONIC), and the
response as JSON. The arguments are the runtime's socket, and the process not to outlive.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

import grpc
from google.protobuf import json_format

from cnbench.cri.messages import PACKAGE, message
from cnbench.lab.libc import die_with_parent

_PATIENCE = 120.0
_KILL = 9


class Client:
    """The runtime's service behind a socket."""

    def __init__(self, socket: str) -> None:
        self._channel = grpc.insecure_channel(f"unix:{socket}")
        self._calls: dict[str, Any] = {}

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
            answer = client.call(name, fields)
        except grpc.RpcError as error:
            answer = {"refused": f"{error.code().name}: {error.details()}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
