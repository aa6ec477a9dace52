"""Doing what the host asks: JSON lines over a virtio-serial port.

The agent answers each request with one line, in which ``agent`` says what kind of answer it is:

    {"do": "load", "modules": [...]}      {"agent": "loaded", "failed": {name: reason}}
    {"do": "attach", "import": [...]}     {"agent": "attached"}: the code disk is at CODE, and all
                                          that is run from now on has these modules in memory;
                                          "module:function" is called, too, for what it remembers
    {"do": "run", "module": ...,          {"agent": "ended", "status": ..., "stderr": ...}
     "arguments": [...]}
    {"do": "reseed"}                      {"agent": "reseeded", "key": hex}: random numbers follow
                                          from a new key, at that address ("": unknown)
    {"do": "draw"}                        {"agent": "drew", "number": hex}
    {"do": "off"}                         the machine goes off
    anything that fails                   {"agent": "failed", "reason": ...}

While a module runs, its standard input and output are the port itself: the agent neither reads nor
wakes, so it costs the measurement nothing.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import importlib
import json
import os
import select
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import CODE, PORT_NAME
from .idle import never_idle
from .running import run
from .system import MS_RDONLY, mount, tool

_CODE_DISK = "/dev/vdc"
_DEBIANS_PYTHON = "/usr/lib/python3/dist-packages"
_BLKFLSBUF = 0x1261  # linux/fs.h: forget what is cached of a block device
_RNDRESEEDCRNG = 0x5207  # linux/random.h

Request = dict[str, Any]


def open_port() -> int:
    """The port to the host, which appears a moment after its driver."""
    while True:
        for name in Path("/sys/class/virtio-ports").glob("*/name"):
            if name.read_text().strip() == PORT_NAME:
                return os.open(f"/dev/{name.parent.name}", os.O_RDWR)
        time.sleep(0.01)


def read_line(port: int) -> bytes:
    """One line from the host, and not a byte more: what follows may be for a module.

    It asks again and again instead of sleeping: an idle guest on the instruction clock skips to
    its next timer at once, and would live through days while the host starts up.
    """
    poller = select.poll()
    poller.register(port, select.POLLIN)
    line = b""
    while not line.endswith(b"\n"):
        while not poller.poll(0):
            pass
        byte = os.read(port, 1)
        if not byte:
            # The host's end is closed: nobody will ever ask again.
            return b'{"do": "off"}'
        line += byte
    return line


def serve(port: int) -> None:
    """Do what the host asks until it asks to go off."""
    steps: dict[str, Callable[[Request], Request]] = {
        "load": _load,
        "attach": _attach,
        "reseed": _reseed,
        "draw": _draw,
        "run": lambda request: run(request, port),
    }
    _say(port, {"agent": "ready", "release": os.uname().release, "python": sys.version.split()[0]})
    while (request := json.loads(read_line(port)))["do"] != "off":
        try:
            with never_idle():
                answer = steps[request["do"]](request)
        except Exception as error:
            answer = {"agent": "failed", "reason": f"{request['do']}: {error}"}
        _say(port, answer)


def _say(port: int, answer: Request) -> None:
    # A module may have left an unfinished line behind.
    line = b"\n" + json.dumps(answer).encode() + b"\n"
    while line:
        line = line[os.write(port, line) :]


def _load(request: Request) -> Request:
    """Load kernel modules with all they need; those that fail are told with modprobe's reason."""
    failed = {}
    for name in request["modules"]:
        try:
            tool("modprobe", "--", name)
        except RuntimeError as error:
            failed[name] = str(error)
    return {"agent": "loaded", "failed": failed}


def _attach(request: Request) -> Request:
    """Mount the disk with the measuring code, which is another one after a restore.

    What is to be imported is imported here, once, for all that is run afterwards: each is a fork.
    """
    with open(_CODE_DISK, "rb") as disk:  # noqa: PTH123  a device
        fcntl.ioctl(disk, _BLKFLSBUF)
    mount(_CODE_DISK, CODE, "squashfs", MS_RDONLY)
    sys.path.insert(0, CODE)
    # Python runs without site, which would have added it: numpy is there.
    sys.path.append(_DEBIANS_PYTHON)
    for name in request.get("import", []):
        module, _, function = name.partition(":")
        # Who needs one that does not load hears of it when it is run.
        with contextlib.suppress(Exception):
            imported = importlib.import_module(module)
            if function:
                getattr(imported, function)()
    return {"agent": "attached"}


def _reseed(_: Request) -> Request:
    """Have the kernel's random numbers follow from a new key, and tell where that is."""
    key = _address_of(b"base_crng")
    with open("/dev/urandom", "rb") as device:  # noqa: PTH123  a device
        fcntl.ioctl(device, _RNDRESEEDCRNG)
    return {"agent": "reseeded", "key": key}


@functools.cache
def _address_of(symbol: bytes) -> str:
    """Where the kernel has a variable, or the empty text: five megabytes to look through."""
    listing = Path("/proc/kallsyms").read_bytes()
    found = listing.find(b" " + symbol + b"\n")
    line = listing[listing.rfind(b"\n", 0, found) + 1 : found]
    return line.split()[0].decode() if found >= 0 else ""


def _draw(_: Request) -> Request:
    """A random number."""
    return {"agent": "drew", "number": os.getrandom(16).hex()}
