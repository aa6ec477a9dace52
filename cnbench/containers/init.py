"""The first process of an enclave: it starts what it is told to, and takes the time of it.

Run as a script, as process 1 of an enclave's process namespace: whatever lives there ends with it,
wherever it went, and it ends with the run, which holds the other end of its socket. It reads one
JSON list a line, the name of a task (``tasks.TASKS``) and its arguments, and answers with a line of
JSON. Its arguments are the descriptor of the socket, the folder to keep in sight, and the folders
that this enclave has for itself.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import socket
import struct
import sys
from collections.abc import Sequence
from pathlib import Path

_SIOCSIFFLAGS, _IFF_UP = 0x8914, 1


def _furnish(kept: str, own: Sequence[str]) -> None:
    """Mount what only this enclave has: /proc, and ``own`` folders; ``kept`` stays in sight."""
    from cnbench.lab import libc

    libc.keep_mounts_to_oneself()
    libc.mount("proc", "/proc", "proc", "")
    descriptor = os.open(kept, os.O_PATH)
    for folder in own:
        libc.mount("tmpfs", folder, "tmpfs", "mode=755")
    if not Path(kept).exists():
        Path(kept).mkdir(parents=True)
        libc.bind(f"/proc/self/fd/{descriptor}", kept)
    os.close(descriptor)
    # crun refuses what is both versions; what it then finds is v1 as a whole.
    if any(" - cgroup " in line for line in Path("/proc/self/mountinfo").read_text().splitlines()):
        with contextlib.suppress(OSError):
            libc.unmount("/sys/fs/cgroup/unified")


def _raise_loopback() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", _IFF_UP))


def _reap() -> None:
    """Let go of what ended here and has no other parent."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def main() -> None:
    """Do what comes over the socket, until its other end is closed."""
    descriptor, kept, *own = sys.argv[1:]
    sys.path.insert(0, str(Path(__file__).parents[2]))
    from cnbench.containers.tasks import TASKS

    _furnish(kept, own)
    _raise_loopback()
    with socket.socket(fileno=int(descriptor)) as connection:
        connection.set_inheritable(False)
        for line in connection.makefile("r"):
            name, *arguments = json.loads(line)
            try:
                answer: dict[str, object] = {"said": TASKS[name](*arguments)}
            except Exception as error:
                answer = {"refused": f"{type(error).__name__}: {error}"}
            connection.sendall((json.dumps(answer) + "\n").encode())
            if name != "start_bare":
                _reap()


if __name__ == "__main__":
    main()
