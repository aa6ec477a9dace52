"""A running guest: started, talked to, watched, and gone again however it ends."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from cnbench.lab import processes
from cnbench.lab.guest import ending, initramfs, qemu
from cnbench.lab.guest.build.images import Image
from cnbench.lab.guest.build.kernels import Kernel
from cnbench.lab.guest.channel import Channel, Closed, Message, Silent
from cnbench.lab.guest.errors import GuestError
from cnbench.lab.guest.monitor import Monitor
from cnbench.lab.guest.qemu import Hardware, Tracing

# A boot takes 12 s of a CPU under emulation; with eight busy processes on each, 120 s are too few.
READY_SECONDS = 300
_ANSWER_SECONDS = 300
_LAST_WORDS_SECONDS = 5
_BOOT_ATTEMPTS = 4


class Machine:
    """A guest whose agent answers. Use `boot` or `restore`.

    Attributes:
        channel: JSON lines to and from the agent, or to the module it runs.
        monitor: QEMU's monitor.
        release: the guest kernel's ``uname -r``.
    """

    def __init__(
        self,
        release: str,
        process: subprocess.Popen[str],
        channel: Channel,
        monitor: Monitor,
        console: int,
    ) -> None:
        self.release = release
        self.channel = channel
        self.monitor = monitor
        self._process = process
        self._console = console

    def console(self) -> str:
        """All that the guest's kernel has written to its console so far."""
        size = os.fstat(self._console).st_size
        return os.pread(self._console, size, 0).decode(errors="replace")

    def ask(self, request: Message, timeout: float = _ANSWER_SECONDS) -> Message:
        """Have the agent do something, and give its answer (see agent/serving.py for all).

        Raises:
            GuestError: it could not be done, or the guest came to an end.
        """
        with self.explaining(f"asked to {request['do']}"):
            self.channel.send(request)
            answer = self.channel.receive(timeout)
        if answer.get("agent") == "failed":
            raise GuestError(f"the guest could not {answer['reason']}", console=self._tail())
        return answer

    def load(self, modules: Sequence[str]) -> dict[str, str]:
        """Load kernel modules by name; those that did not load are given with the reason."""
        failed: dict[str, str] = self.ask({"do": "load", "modules": list(modules)})["failed"]
        return failed

    def run(
        self,
        module: str,
        request: Message | None = None,
        arguments: Sequence[str] = (),
        silence: float = 600,
    ) -> Iterator[Message]:
        """Run a Python module in the guest as ``python3 -m`` would; give each JSON line it prints.

        ``request`` is the first line on its standard input; more can be sent on ``channel`` while
        it runs. It may say nothing for ``silence`` seconds at a time.

        Raises:
            GuestError: the module failed (the last line of its stderr is in the message), or was
                silent too long, or the guest came to an end.
        """
        with self.explaining(f"running {module}"):
            self.channel.send({"do": "run", "module": module, "arguments": list(arguments)})
            if request is not None:
                self.channel.send(request)
        yield from self.hear(module, silence)

    def hear(self, module: str, silence: float = 600) -> Iterator[Message]:
        """Give each JSON line that ``module`` prints, which runs already, to its end; as `run`."""
        with self.explaining(f"running {module}"):
            while "agent" not in (message := self.channel.receive(silence)):
                yield message
        if message["agent"] != "ended":
            raise GuestError(f"the guest could not {message['reason']}", console=self._tail())
        if message["status"] != 0:
            raise ending.of_module(module, message["status"], message["stderr"], self.console())

    def stop_tracing(self) -> None:
        """Have the plug-in that watches what is executed watch no more; the guest runs on."""
        self._process.send_signal(signal.SIGURG)

    @contextlib.contextmanager
    def explaining(self, doing: str) -> Iterator[None]:
        """Turn the end or the silence of the guest, inside, into an error with its last lines."""
        try:
            yield
        except Silent as silent:
            self._process.kill()
            raise ending.of_silence(doing, str(silent), self.console()) from None
        except Closed:
            raise self._obituary(doing) from None

    def _obituary(self, doing: str) -> GuestError:
        try:
            _, stderr = self._process.communicate(timeout=_LAST_WORDS_SECONDS)
        except subprocess.TimeoutExpired:
            stderr = ""
        return ending.of_machine(doing, stderr, self.console())

    def _tail(self) -> list[str]:
        return ending.last_lines(self.console())


@contextlib.contextmanager
def boot(
    kernel: Kernel,
    userland: Image,
    hardware: Hardware,
    code: Path,
    timeout: float = READY_SECONDS,
) -> Iterator[Machine]:
    """A guest from its boot, which may take ``timeout`` seconds, to its end.

    ``code`` is the disk with the measuring code.

    Needs no privilege and leaves nothing behind: its files have no names, its process is killed on
    leaving, and by the kernel if this process dies before that.

    Raises:
        UnsupportedError: QEMU is not installed.
        GuestError: it did not start, not even at the last of a few attempts.
    """
    with contextlib.ExitStack() as stack:
        yield _first_that_starts(stack, kernel, userland, hardware, code, timeout)


@contextlib.contextmanager
def restore(
    kernel: Kernel,
    userland: Image,
    hardware: Hardware,
    code: Path,
    state: Path,
    tracing: Tracing | None = None,
) -> Iterator[Machine]:
    """A guest from a saved ``state`` of the same kernel, userland and hardware to its end.

    All that it executes is watched by ``tracing``, if that is given. Otherwise as `boot`.

    Raises:
        UnsupportedError: QEMU is not installed.
        GuestError: the state could not be read.
    """
    with (
        state.open("rb") as file,
        _started(kernel, userland, hardware, code, file.fileno(), tracing) as machine,
    ):
        with machine.explaining("going on from its saved state"):
            machine.monitor.greet()
            machine.monitor.resume_restored()
        yield machine


def _first_that_starts(
    stack: contextlib.ExitStack,
    kernel: Kernel,
    userland: Image,
    hardware: Hardware,
    code: Path,
    timeout: float,
) -> Machine:
    # QEMU 7.2's emulation loses about one boot in ten while the kernel patches its own code (an
    # oops in kmalloc, before any process runs), so one failure says nothing yet.
    for attempts_left in reversed(range(_BOOT_ATTEMPTS)):
        with contextlib.ExitStack() as attempt:
            machine = attempt.enter_context(_started(kernel, userland, hardware, code))
            try:
                with machine.explaining("starting"):
                    machine.monitor.greet()
                    machine.channel.receive(timeout)
            except GuestError as error:
                if attempts_left and ending.is_panic(error):
                    continue
                raise
            stack.push(attempt.pop_all())
            return machine
    raise AssertionError("the last attempt returns or raises")


@contextlib.contextmanager
def _started(
    kernel: Kernel,
    userland: Image,
    hardware: Hardware,
    code: Path,
    state: int | None = None,
    tracing: Tracing | None = None,
) -> Iterator[Machine]:
    with contextlib.ExitStack() as stack:
        channel, guests_channel = _pair(stack)
        monitor, guests_monitor = _pair(stack)
        console = _unnamed_file(stack, "console")
        first_root = _unnamed_file(stack, "initramfs", initramfs.build(kernel, userland))
        files = qemu.Files(
            kernel.vmlinux,
            f"/proc/self/fd/{first_root}",
            (userland.path, kernel.modules, code),
            f"/proc/self/fd/{console}",
            guests_channel.fileno(),
            guests_monitor.fileno(),
            state,
            tracing,
        )
        descriptors = [files.channel, files.monitor, console, first_root]
        descriptors += [] if state is None else [state]
        descriptors += [] if tracing is None else [tracing.out]
        argv = qemu.command_line(hardware, files)
        process = stack.enter_context(processes.running(argv, descriptors))
        # Only with QEMU as the last holder of its ends does its death close the channel.
        guests_channel.close()
        guests_monitor.close()
        yield Machine(
            kernel.release,
            process,
            Channel(channel, "the guest"),
            Monitor(Channel(monitor, "QEMU")),
            console,
        )


def _pair(stack: contextlib.ExitStack) -> tuple[socket.socket, socket.socket]:
    ours, theirs = socket.socketpair()
    return stack.enter_context(ours), stack.enter_context(theirs)


def _unnamed_file(stack: contextlib.ExitStack, name: str, contents: bytes = b"") -> int:
    descriptor = os.memfd_create(f"cnbench-{name}")
    stack.callback(os.close, descriptor)
    with open(descriptor, "wb", closefd=False) as file:
        file.write(contents)
    return descriptor
