"""A service that answers requests, each of which costs it the CPU time that the request names.

Run as a script of its own, so that it alone is in the limited group. A request is eight bytes, a
number of nanoseconds; the answer is one byte. The arguments are the descriptor of a socket, and the
process that this one must not outlive.
"""

from __future__ import annotations

import os
import socket
import struct
import sys
import time

REQUEST = struct.Struct("=Q")


def work(nanoseconds: int) -> None:
    """Use CPU time; time in which another runs, or nothing does, does not count."""
    clock = time.thread_time_ns
    end = clock() + nanoseconds
    while clock() < end:
        pass


if __name__ == "__main__":
    descriptor, parent = map(int, sys.argv[1:3])
    if os.getppid() != parent:
        sys.exit("the run that started this service is gone")
    with socket.socket(fileno=descriptor) as connection:
        while request := connection.recv(REQUEST.size, socket.MSG_WAITALL):
            work(*REQUEST.unpack(request))
            connection.sendall(b".")
