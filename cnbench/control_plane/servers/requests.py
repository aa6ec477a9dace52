"""One HTTP request to a server on loopback in an enclave, on a connection of its own."""

from __future__ import annotations

import http.client
import ssl

from cnbench.control_plane.api.client import connected
from cnbench.core.errors import CnbenchError
from cnbench.lab.netns import NetworkNamespace


def ask(
    network: NetworkNamespace,
    port: int,
    path: str,
    *,
    method: str = "GET",
    body: str = "",
    context: ssl.SSLContext | None = None,
    seconds: float = 60.0,
) -> tuple[int, bytes]:
    """The status and the body of the answer; over TLS where there is a ``context``.

    Raises:
        CnbenchError: nobody listens, or there is no answer within so many ``seconds``.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
    opened = connected(network, port)
    opened.settimeout(seconds)
    try:
        connection.sock = context.wrap_socket(opened) if context else opened
        connection.request(method, path, body or None)
        response = connection.getresponse()
        return response.status, response.read()
    except (OSError, http.client.HTTPException) as error:
        raise CnbenchError(f"port {port} does not answer {path}: {error!r}") from error
    finally:
        opened.close()
        connection.close()
