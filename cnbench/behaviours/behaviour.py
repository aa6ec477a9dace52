"""What a behaviour is: a question to the kernel, and the probe that has it answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cnbench.lab import commands
from cnbench.lab.host import Lab

Probe = Callable[[Lab], str]
"""Has the kernel do something, and gives in a few words what it did.

Raises UnsupportedError where this machine cannot be asked.
"""

ABSENT = "no "
"""What the word for something begins with that a kernel does not have."""


@dataclass(frozen=True)
class Behaviour:
    """One question to the kernel.

    A probe tells what it sees. It never looks at the release, and never says what is right.

    Attributes:
        name: its file's, after that of the subject it is in.
        question: what is asked, in words.
        method: what the probe does to find out, in words.
        matters: whom a change of it would hurt, and how.
        source: where in the kernel or its documentation it is decided.
        probe: asks the kernel.
        controls: the same probe with one thing changed, so that at least one of them has another
            answer. What has not been seen to answer otherwise proves nothing.
        changes_machine: it changes what a machine has once, so it is asked in guests alone.
        modules: kernel modules that are loaded before; nothing, where they are built in or missing.
        tools: programs that it drives.
    """

    name: str
    question: str
    method: str
    matters: str
    source: str
    probe: Probe
    controls: tuple[Probe, ...]
    changes_machine: bool = False
    modules: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()


def absent(what: str) -> str:
    """The answer of a kernel that has no ``what``: neither the probe nor a control finds any."""
    return ABSENT + what


def listed(names: object) -> str:
    """``names`` as an answer: in their order, or that there is none."""
    return ", ".join(map(str, names)) or "none"  # type: ignore[call-overload]


def prepare(behaviour: Behaviour, lab: Lab) -> None:
    """Load what a probe needs; on a host nothing is loaded.

    Raises:
        UnsupportedError: one of its tools is not installed.
    """
    for tool in behaviour.tools:
        commands.require(tool)
    if lab.name == "guest":
        for module in behaviour.modules:
            commands.run(["modprobe", "--", module], check=False)
