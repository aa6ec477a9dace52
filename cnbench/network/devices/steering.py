"""On which processor a node does its receiving.

Over veth, whoever sends a packet walks it through every namespace up to the receiver's socket, so
that one processor does the work of two machines. Receive packet steering (the kernel's
Documentation/networking/scaling.rst) hands what a device receives to another processor instead: a
node's work is then done where the node's own programs run, as it is on a machine of its own.
"""

from __future__ import annotations

import threading
from pathlib import Path

from cnbench.core.errors import CnbenchError
from cnbench.lab import libc
from cnbench.lab.netns import NetworkNamespace

# Where the thread mounts its own over the machine's: a folder that need not be made, nor removed.
_SYS = Path("/sys")


def receive_on(namespace: NetworkNamespace, device: str, cpu: int) -> None:
    """Have what ``device`` receives be worked on by processor ``cpu``.

    Raises:
        CnbenchError: the kernel does not do it.
    """
    problems: list[OSError] = []

    def steer() -> None:
        try:
            with namespace.entered():
                _write_masks(device, cpu)
        except OSError as error:
            problems.append(error)

    # sysfs shows the devices of the namespace it is mounted in. It is mounted where this thread
    # alone sees it, and goes with the thread.
    thread = threading.Thread(target=steer)
    thread.start()
    thread.join()
    if problems:
        raise CnbenchError(
            f"{device} of {namespace.name} cannot be received from on processor {cpu}: "
            f"{problems[0].strerror or problems[0]}"
        )


def _write_masks(device: str, cpu: int) -> None:
    libc.unshare(libc.CLONE_NEWNS)
    libc.keep_mounts_to_oneself()
    libc.mount("sysfs", str(_SYS), "sysfs", "")
    try:
        queues = sorted((_SYS / "class/net" / device / "queues").glob("rx-*"))
        for queue in queues:
            (queue / "rps_cpus").write_text(_mask(cpu))
    finally:
        libc.unmount(str(_SYS))


def _mask(cpu: int) -> str:
    """``cpu`` alone, as a bit mask in groups of 32 bits."""
    return ",".join([f"{1 << cpu % 32:x}", *["0" * 8] * (cpu // 32)])


def steered_to(cpu: int) -> int:
    """How many packets other processors have handed to ``cpu`` (all namespaces together).

    Raises:
        CnbenchError: there is no such processor.
    """
    # net/core/net-procfs.c: received_rps is the tenth column, the processor's number the thirteenth
    # (since Linux 5.10).
    for line in Path("/proc/net/softnet_stat").read_text().splitlines():
        columns = [int(column, 16) for column in line.split()]
        if columns[12] == cpu:
            return columns[9]
    raise CnbenchError(f"the kernel counts no packets of processor {cpu}")
