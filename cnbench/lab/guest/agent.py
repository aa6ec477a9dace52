"""What runs inside a guest: it prepares the machine, and then does what the host asks.

This file is put into the initramfs as it is, and imports nothing of ours. Host and agent talk in
JSON lines over a virtio-serial port. The agent answers each request with one line, in which
``agent`` says what kind of answer it is:

    {"do": "load", "modules": [...]}      {"agent": "loaded", "failed": {name: reason}}
    {"do": "attach"}                      {"agent": "attached"}: the code disk is at CODE
    {"do": "run", "module": ...,          {"agent": "ended", "status": ..., "stderr": ...}
     "arguments": [...]}
    {"do": "off"}                         the machine goes off
    anything that fails                   {"agent": "failed", "reason": ...}

While a module runs, its standard input and output are the port itself: the agent neither reads nor
wakes, so it costs the measurement nothing.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import runpy
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

PORT_NAME = "cnbench"
CODE = "/usr/local/lib/cnbench"
CODE_DISK = "/dev/vdc"
STDERR = Path("/run/cnbench-stderr")

_MOUNTS = (
    ("sysfs", "sysfs", "/sys"),
    ("cgroup2", "cgroup2", "/sys/fs/cgroup"),
    ("devpts", "devpts", "/dev/pts"),
    ("tmpfs", "shm", "/dev/shm"),  # noqa: S108
)
_FOLDERS = ("/dev/pts", "/dev/shm", "/run/netns", "/run/lock", "/var/lib", "/var/tmp")  # noqa: S108
_BLKFLSBUF = 0x1261  # linux/fs.h: forget what is cached of a block device
_STDERR_KEPT = 4000
# Imported before a state is saved, so that no measurement waits for them: under emulation each
# costs milliseconds. All of the standard library that the measuring side commonly needs.
_IMPORTED_EARLY = (
    *("argparse", "array", "asyncio", "collections", "ctypes", "dataclasses", "enum", "errno"),
    *("functools", "hashlib", "itertools", "logging", "math", "platform", "random", "re", "select"),
    *("shutil", "signal", "socket", "statistics", "struct", "tempfile", "threading", "typing"),
)

Request = dict[str, Any]


def prepare() -> None:
    """Mount what a Linux system has mounted, and bring the loopback device up."""
    for folder in _FOLDERS:
        Path(folder).mkdir(parents=True, exist_ok=True)
    for filesystem, source, target in _MOUNTS:
        _tool("mount", "-t", filesystem, source, target)
    _tool("ip", "link", "set", "lo", "up")
    for name in _IMPORTED_EARLY:
        __import__(name)


def load(request: Request) -> Request:
    """Load kernel modules with all they need; those that fail are told with modprobe's reason."""
    failed = {}
    for name in request["modules"]:
        try:
            _tool("modprobe", "--", name)
        except RuntimeError as error:
            failed[name] = str(error)
    return {"agent": "loaded", "failed": failed}


def attach(_: Request) -> Request:
    """Mount the disk with the measuring code, which is another one after a restore."""
    with open(CODE_DISK, "rb") as disk:  # noqa: PTH123  a device
        fcntl.ioctl(disk, _BLKFLSBUF)
    _tool("mount", "-t", "squashfs", "-o", "ro", CODE_DISK, CODE)
    sys.path.insert(0, CODE)
    return {"agent": "attached"}


def run(request: Request, port: int) -> Request:
    """Run a Python module in a child, and say how it ended."""
    child = os.fork()
    if child == 0:
        _become(request["module"], request.get("arguments", []), port)
    _, status = os.waitpid(child, 0)
    return {
        "agent": "ended",
        "status": os.waitstatus_to_exitcode(status),
        "stderr": STDERR.read_text(errors="replace")[-_STDERR_KEPT:],
    }


def _become(module: str, arguments: list[str], port: int) -> None:
    """Run ``module`` in this forked child as ``python3 -m`` would; does not return."""
    status = 1
    try:
        errors = os.open(STDERR, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(port, 0)
        os.dup2(port, 1)
        os.dup2(errors, 2)
        sys.argv = [module, *arguments]
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            os.write(2, end.code.encode() + b"\n")
    except BaseException:
        os.write(2, traceback.format_exc().encode())
    finally:
        with contextlib.suppress(OSError):
            sys.stdout.flush()
        os._exit(status)


def _tool(*argv: str) -> None:
    done = subprocess.run(
        argv, check=False, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip() or f"{argv[0]} exited with {done.returncode}")


def open_port() -> int:
    """The port to the host, which appears a moment after its driver."""
    while True:
        for name in Path("/sys/class/virtio-ports").glob("*/name"):
            if name.read_text().strip() == PORT_NAME:
                return os.open(f"/dev/{name.parent.name}", os.O_RDWR)
        time.sleep(0.01)


def read_line(port: int) -> bytes:
    """One line from the host, and not a byte more: what follows may be for a module."""
    line = b""
    while not line.endswith(b"\n"):
        byte = os.read(port, 1)
        if not byte:
            # The host's end is closed: nobody will ever ask again.
            return b'{"do": "off"}'
        line += byte
    return line


def serve(port: int) -> None:
    """Do what the host asks until it asks to go off."""
    steps: dict[str, Callable[[Request], Request]] = {
        "load": load,
        "attach": attach,
        "run": lambda request: run(request, port),
    }
    _say(port, {"agent": "ready", "release": os.uname().release, "python": sys.version.split()[0]})
    while (request := json.loads(read_line(port)))["do"] != "off":
        try:
            answer = steps[request["do"]](request)
        except Exception as error:
            answer = {"agent": "failed", "reason": f"{request['do']}: {error}"}
        _say(port, answer)


def _say(port: int, answer: Request) -> None:
    # A module may have left an unfinished line behind.
    line = b"\n" + json.dumps(answer).encode() + b"\n"
    while line:
        line = line[os.write(port, line) :]


if __name__ == "__main__":
    prepare()
    serve(open_port())
