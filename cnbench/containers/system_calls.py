"""How many system calls it takes to start a container: of the kernel's calls alone, and of runc."""

from __future__ import annotations

from pathlib import Path

from cnbench.containers.runtimes import Bare, Oci, Runtime
from cnbench.core.errors import CnbenchError
from cnbench.lab import commands
from cnbench.lab.waiting import wait_until

_TOOL = "strace"
_PATIENCE = 30.0
# The last line of strace's summary; "calls" and the name are its columns.
_TOTAL = "total"


def system_calls(runtime: Runtime) -> int | None:
    """System calls until the container's program runs; None where nobody can count them.

    A daemon's are not its container's alone, and without strace a command's are not to be had.

    Raises:
        CnbenchError: the container did not start.
    """
    if isinstance(runtime, Bare):
        return runtime.system_calls()
    if isinstance(runtime, Oci) and commands.find(_TOOL):
        return _traced(runtime)
    return None


def _traced(runtime: Oci) -> int:
    """Those of one start under strace, which ends when the container does."""
    enclave = runtime.enclave
    folder = runtime.bundle(enclave.new_name())
    summary, number = folder / "summary", folder / "pid"
    argv = [
        commands.require(_TOOL), "-f", "-c", "-U", "calls,name", "-o", str(summary),
        commands.require(runtime.command), "--root", runtime.state_folder, "run", "--detach",
        "--bundle", str(folder), "--pid-file", str(number), folder.name,
    ]  # fmt: skip
    tracer = enclave.do("serve", argv, str(folder / "log"), {})
    wait_until(lambda: _written(number), "no container under strace", within=_PATIENCE)
    enclave.first_instruction(int(number.read_text()))
    runtime.delete(folder.name)
    wait_until(
        lambda: not enclave.do("processes_of", [tracer]), "strace does not end", within=_PATIENCE
    )
    return total(summary.read_text())


def _written(file: Path) -> bool:
    return file.exists() and bool(file.read_text())


def total(summary: str) -> int:
    """The calls of a summary of strace; raises CnbenchError if it has none."""
    for line in reversed(summary.splitlines()):
        if line.endswith(_TOTAL):
            return int(line.split()[0])
    raise CnbenchError(f"strace counted nothing: {summary.strip()[-200:]}")
