"""An asv plugin: names this machine by its CPU and kernels, and keeps the name in the checkout.

asv calls a machine by its host name, whatever kernel it runs, so that the results of two kernels
become one line; it wants the name in ``~/.asv-machine.json``, asks for it at a terminal and gives
up where there is none. Benchmarks that count instructions in a guest run on its kernel, so that is
in the name as well. With this module among the ``plugins`` of ``asv.conf.json`` a plain
``asv run`` works anywhere, files each kernel apart, and neither stores a host name nor touches the
home folder, where a second entry would change how asv names the machine in other projects.
"""

from __future__ import annotations

import os
import platform
import re
from pathlib import Path

from cnbench.asv.lab_choice import guest_name

# Ignored by git; asv's environments are beside it.
_MACHINE_FILE = Path(".cache/asv/machines.json")

_TRADEMARKS = re.compile(r"\((?:R|TM|C)\)", re.IGNORECASE)
_FREQUENCY = re.compile(r"@.*$")
_FILLERS = re.compile(r"\b(?:CPU|Processor|\d+-Core)\b", re.IGNORECASE)
_UNSAFE = re.compile(r"[^A-Za-z0-9._+]+")


def machine_name(cpu: str, cpus: int, kernel: str) -> str:
    """A folder's name for results: ``AMD-EPYC-9654-2cpus-6.12.30-cloud-amd64``.

    Args:
        cpu: the model as ``/proc/cpuinfo`` has it, or the architecture.
        cpus: how many there are.
        kernel: its release.
    """
    model = _FILLERS.sub("", _FREQUENCY.sub("", _TRADEMARKS.sub("", cpu)))
    return "-".join(_safe(part) for part in (model, f"{cpus}cpus", kernel))


def _safe(text: str) -> str:
    return _UNSAFE.sub("-", text).strip("-.") or "unknown"


def this_machine() -> str:
    """The name of the machine and kernel that this process runs on, and of what it counts on."""
    name = machine_name(_cpu_model(), os.cpu_count() or 1, platform.release())
    guest = guest_name()
    return f"{name}-counting-instructions-on-{_safe(guest)}" if guest else name


def _cpu_model() -> str:
    try:
        found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.M)
    except OSError:
        found = None
    return found[1] if found else platform.machine()


def setup() -> None:
    """What asv calls when it loads a plugin, in the folder of ``asv.conf.json``.

    ``asv run --machine NAME`` still takes a name of the user's own, after
    ``asv machine --machine NAME --yes``: they then keep kernels apart themselves.
    """
    from asv.machine import Machine, MachineCollection

    path = _MACHINE_FILE.absolute()
    path.parent.mkdir(parents=True, exist_ok=True)
    name = this_machine()
    # asv has no setting for either; checked with 0.6.6, and by tests/asv with what is installed.
    MachineCollection.get_machine_file_path = staticmethod(lambda: str(path))
    Machine.hardcoded_machine_name = name
    MachineCollection.save(name, Machine.get_defaults() | {"machine": name})
