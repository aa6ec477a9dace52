"""Running the kernel's own tools: argument lists, never a shell."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import math
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from cnbench.core.errors import CommandError, UnsupportedError

# Ordinary users often lack these in PATH, and every tool that sets up a network lives there.
_SYSTEM_FOLDERS = ("/usr/local/sbin", "/usr/sbin", "/sbin")

PACKAGES = {
    "bird": "bird2",
    "busybox": "busybox-static",
    "cc": "gcc",
    "ctr": "containerd",
    "docker": "docker.io",
    "dockerd": "docker.io",
    "fuse-overlayfs": "fuse-overlayfs",
    "ip": "iproute2",
    "ipset": "ipset",
    "iperf3": "iperf3",
    "iptables": "iptables",
    "ipvsadm": "ipvsadm",
    "mkfs.btrfs": "btrfs-progs",
    "mkfs.ext4": "e2fsprogs",
    "mkfs.xfs": "xfsprogs",
    "mmdebstrap": "mmdebstrap",
    "modprobe": "kmod",
    "nft": "nftables",
    "qemu-system-x86_64": "qemu-system-x86",
    "setpriv": "util-linux",
    "tc": "iproute2",
}

# A pipe that is full has its writer woken for every page that is read, which costs both a tenth of
# their time; what Linux allows ordinary users (fs.pipe-max-size) where it does not allow more.
_PIPE_BYTES = (1 << 26, 1 << 20)
# What execve(2) gives for a file that is no program of this machine, or none that may be run.
_NO_PROGRAM = (errno.ENOEXEC, errno.EACCES, errno.ENOENT, errno.ELIBBAD, errno.ETXTBSY)

# Asking a tool what it can do takes it milliseconds.
_PLANNING_SECONDS = 10.0

_gives_up = True
_longest_patience = math.inf


def never_give_up() -> None:
    """Wait for every tool to its end, whatever the time.

    For a guest that counts instructions: its clock skips what it spends waiting, and minutes pass
    on it in a moment (one iptables-restore in twenty was given up so).
    """
    global _gives_up  # noqa: PLW0603  a property of the machine that this process runs on
    _gives_up = False


@contextlib.contextmanager
def planning() -> Iterator[None]:
    """Have tools be given up soon inside, and with them what needs them.

    There they only say what they can do.
    """
    global _longest_patience  # noqa: PLW0603  as above
    before, _longest_patience = _longest_patience, _PLANNING_SECONDS
    try:
        yield
    finally:
        _longest_patience = before


def find(tool: str) -> str | None:
    """The path of ``tool``, looked for in PATH and in the system folders; None where it is not."""
    return shutil.which(tool) or shutil.which(tool, path=os.pathsep.join(_SYSTEM_FOLDERS))


def package_of(tool: str) -> str:
    """The Debian package that holds ``tool`` (iptables-nft-restore comes with iptables)."""
    family = tool.partition("-")[0]
    return PACKAGES.get(tool) or PACKAGES.get(family) or tool


def require(tool: str) -> str:
    """The path of ``tool``.

    Raises:
        UnsupportedError: it is not installed; the remedy names its package.
    """
    path = find(tool)
    if path is None:
        raise UnsupportedError(f"{tool} is not installed", f"apt-get install {package_of(tool)}")
    return path


def run(
    argv: Sequence[str],
    *,
    input: str | Path | Iterable[str] | None = None,
    check: bool = True,
    timeout: float = 600,
    environment: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a tool to its end and give what it printed.

    An ``input`` in pieces reaches the tool piece by piece, while the next is still being made. A
    path is a file that the tool reads by itself.

    What it prints is read as UTF-8; a byte that is none becomes U+FFFD.

    Raises:
        UnsupportedError: the tool is not installed, or what has its name is no program.
        CommandError: ``check`` and it exited with an error, or it took longer than ``timeout`` s.
            (Too long in planning is UnsupportedError.)
    """
    argv = [require(argv[0]), *argv[1:]]
    timeout = min(timeout, _longest_patience)
    patience = timeout if _gives_up else None
    started_in = {**os.environ, "LC_ALL": "C", **(environment or {})}
    try:
        if isinstance(input, Path):
            with input.open() as file, explaining(argv[0]):
                done = _run(argv, patience, started_in, stdin=file)
        elif input is None or isinstance(input, str):
            with explaining(argv[0]):
                done = _run(argv, patience, started_in, input=input)
        else:
            done = _run_fed(argv, input, patience, started_in)
    except subprocess.TimeoutExpired:
        if timeout < _longest_patience:
            raise CommandError(argv, -1, f"it had not ended after {timeout:.0f} s") from None
        raise UnsupportedError(
            f"`{' '.join(argv)}` only says what it can do, and had not ended after {timeout:.0f} s",
            f"look why it hangs: {argv[0]}",
        ) from None
    if check and done.returncode != 0:
        raise CommandError(argv, done.returncode, done.stderr)
    return done


@contextlib.contextmanager
def explaining(program: str) -> Iterator[None]:
    """Turn what execve(2) refuses inside (an empty file, another machine's program) into our error.

    Raises:
        UnsupportedError: ``program`` cannot be run; the remedy names its package.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _NO_PROGRAM:
            raise
        package = package_of(Path(program).name)
        raise UnsupportedError(
            f"{program} cannot be run: {error.strerror}",
            f"apt-get install --reinstall {package}, or take it out of PATH",
        ) from error


def _run(
    argv: Sequence[str],
    timeout: float | None,
    environment: dict[str, str],
    *,
    input: str | None = None,
    stdin: IO[str] | None = None,
) -> subprocess.CompletedProcess[str]:
    # With an input of its own, subprocess makes the pipe, and refuses to be told of another.
    source: dict[str, Any] = {"input": input} if stdin is None else {"stdin": stdin}
    return subprocess.run(
        argv,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=timeout,
        check=False,
        env=environment,
        **source,
    )


def _run_fed(
    argv: Sequence[str], pieces: Iterable[str], timeout: float | None, environment: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    """As ``subprocess.run``, with the tool's input made while it reads."""
    with _memory_file() as printed, _memory_file() as complained:
        started = time.monotonic()
        with explaining(argv[0]):
            fed = subprocess.Popen(
                argv, stdin=subprocess.PIPE, stdout=printed, stderr=complained, env=environment
            )
        with fed as process, _killed_after(process, timeout):
            _feed(process, pieces)
            process.wait()
        if timeout is not None and time.monotonic() - started >= timeout:
            raise subprocess.TimeoutExpired(argv, timeout)
        texts = []
        for file in (printed, complained):
            file.seek(0)
            texts.append(file.read())
    return subprocess.CompletedProcess(argv, process.returncode, *texts)


def _memory_file() -> IO[str]:
    # A file on disk takes as long to make as a tenth of what a small program takes to load.
    return os.fdopen(os.memfd_create("cnbench"), "w+", encoding="utf-8", errors="replace")


def _feed(process: subprocess.Popen[bytes], pieces: Iterable[str]) -> None:
    if process.stdin is None:
        raise ValueError("the process has no pipe to be fed by")
    for size in _PIPE_BYTES:
        with contextlib.suppress(PermissionError):
            fcntl.fcntl(process.stdin, fcntl.F_SETPIPE_SZ, size)
            break
    # A tool that stops reading will say why, and exit with an error.
    with contextlib.suppress(BrokenPipeError), process.stdin as pipe:
        for piece in pieces:
            pipe.write(piece.encode())
            pipe.flush()


@contextlib.contextmanager
def _killed_after(process: subprocess.Popen[bytes], timeout: float | None) -> Iterator[None]:
    """Kill the process after ``timeout`` seconds inside, and on whatever is raised."""
    if timeout is None:
        deadline = None
    else:
        deadline = threading.Timer(timeout, process.kill)
        deadline.start()
    try:
        yield
    except BaseException:
        process.kill()
        raise
    finally:
        if deadline is not None:
            deadline.cancel()
