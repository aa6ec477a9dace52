"""A CSI driver of a node: a volume is a folder of its own, which publishing mounts on the target.

As the drivers do that have their volumes on the node itself (csi-driver-host-path). A line is
written for each call: what was asked for, and the ns that its own part took, which for publishing
is a folder and a bind mount. The arguments are the socket to listen on and the volumes' folder.
"""

from __future__ import annotations

import concurrent.futures
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc

from cnbench.lab import libc
from cnbench.rpc.services import NODE_OF_CSI, method


class Driver:
    """Volumes below ``folder``, by their ids."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get_capabilities(self, asked: Any) -> None:
        """None: no staging, no figures."""

    def publish(self, asked: Any) -> None:
        """Mount a volume on the target, which is made (as the interface wants it)."""
        Path(asked.target_path).mkdir()
        libc.bind(str(self._folder / asked.volume_id), asked.target_path)

    def unpublish(self, asked: Any) -> None:
        """Unmount a volume, and remove the target."""
        libc.unmount(asked.target_path)
        Path(asked.target_path).rmdir()


def _handler(name: str, act: Callable[[Any], None]) -> Any:
    called = method(f"{NODE_OF_CSI}.{name}")

    def answer(asked: Any, context: grpc.ServicerContext) -> Any:
        began = time.perf_counter_ns()
        try:
            act(asked)
        except OSError as error:
            context.abort(grpc.StatusCode.INTERNAL, str(error))
        print(name, time.perf_counter_ns() - began, flush=True)
        return called.response()

    return grpc.unary_unary_rpc_method_handler(
        answer,
        request_deserializer=called.request.FromString,
        response_serializer=called.response.SerializeToString,
    )


def main() -> None:
    """Answer until somebody ends this."""
    socket, folder = sys.argv[1:]
    driver = Driver(Path(folder))
    acts = {
        "NodeGetCapabilities": driver.get_capabilities,
        "NodePublishVolume": driver.publish,
        "NodeUnpublishVolume": driver.unpublish,
    }
    handlers = {name: _handler(name, act) for name, act in acts.items()}
    service = method(f"{NODE_OF_CSI}.NodePublishVolume").path.split("/")[1]
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(1))
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
    server.add_insecure_port(f"unix:{socket}")
    server.start()
    server.wait_for_termination()


if __name__ == "__main__":
    main()
