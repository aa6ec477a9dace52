"""Everything that makes two results comparable or not."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field


@dataclass(frozen=True)
class Fingerprint:
    """One environment, as it was when a run began.

    Attributes:
        lab: ``host`` or ``guest``.
        clock: ``wall`` or ``instructions``.
        kernel: the running kernel's release.
        machine: CPU model, count, memory, virtualisation: what the hardware is.
        behaviour: kernel settings that change a cost (HZ, preemption, mitigations, sysctls).
        tools: versions of the tools and libraries that were driven.
        image: the guest image's content digest; empty on the host.
    """

    lab: str
    clock: str
    kernel: str
    machine: Mapping[str, str]
    behaviour: Mapping[str, str]
    tools: Mapping[str, str]
    image: str = field(default="")

    @property
    def digest(self) -> str:
        """A short name for this environment, equal for equal environments."""
        text = json.dumps(asdict(self), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Difference:
    """One thing in which two environments differ."""

    what: str
    one: str
    other: str
    # Whether this alone could explain a difference between results.
    essential: bool


def differences(one: Fingerprint, other: Fingerprint) -> list[Difference]:
    """In what two environments differ, essential things first.

    Tool versions are noted but not essential: the kernel does the work that is measured. Nor is
    what only one of them could read: a sysctl appears when its module is loaded, which the first
    run of an experiment may do itself.
    """
    whole = [
        Difference(what, getattr(one, what), getattr(other, what), essential=True)
        for what in ("lab", "clock", "kernel", "image")
        if getattr(one, what) != getattr(other, what)
    ]
    found = (
        whole
        + _differing("machine", one.machine, other.machine, essential=True)
        + _differing("behaviour", one.behaviour, other.behaviour, essential=True)
        + _differing("tools", one.tools, other.tools, essential=False)
    )
    return sorted(found, key=lambda difference: not difference.essential)


def _differing(
    area: str, one: Mapping[str, str], other: Mapping[str, str], *, essential: bool
) -> list[Difference]:
    return [
        Difference(
            f"{area}: {name}",
            one.get(name, "absent"),
            other.get(name, "absent"),
            essential and name in one and name in other,
        )
        for name in sorted({*one, *other})
        if one.get(name) != other.get(name)
    ]
