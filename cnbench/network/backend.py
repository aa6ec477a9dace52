"""What a backend is, and how backends are found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from cnbench.core.errors import UnsupportedError, UsageError
from cnbench.core.imports.parts import parts_of
from cnbench.core.proof import Check
from cnbench.lab.host import Lab
from cnbench.network import backends
from cnbench.network.devices import links
from cnbench.network.topology import Topology


@dataclass(frozen=True)
class Encapsulation:
    """What a backend puts around each packet.

    Attributes:
        name: as a capture names it (``plain`` for nothing at all).
        overhead: bytes added to each packet on the underlay.
        device: the tunnel device on each node; empty where there is none.
        spare: bytes by which the pods' MTU is smaller than it would have to be.
        padded_to: what the length of each packet inside is padded to a multiple of.
        opaque: whether nobody on the underlay can tell what is inside.
    """

    name: str
    overhead: int
    device: str = ""
    spare: int = 0
    padded_to: int = 1
    opaque: bool = False

    @property
    def room(self) -> int:
        """By how much the pods' MTU is smaller than the underlay's, in bytes."""
        return self.overhead + self.spare


PLAIN = Encapsulation("plain", 0)


def nothing_special(lab: Lab) -> None:
    """For a backend that every kernel with routes and veth can do."""


@dataclass(frozen=True)
class Backend:
    """One way to have the pods of two nodes reach each other.

    Attributes:
        name: as written on the command line.
        summary: one line that says what it configures.
        encapsulation: what a packet wears across ``hops`` routers.
        install: configures both nodes (and what routers take part), pods already there.
        checks: the configuration read back from the kernel, beside what it should be.
        require: raises UnsupportedError where the lab's kernel lacks something.
        attachment: how its pods are attached, where the backend decides that (``open_pod``).
    """

    name: str
    summary: str
    encapsulation: Callable[[int], Encapsulation]
    install: Callable[[Topology], None]
    checks: Callable[[Topology], tuple[Check, ...]]
    require: Callable[[Lab], None] = nothing_special
    attachment: str = ""


@cache
def all_backends() -> dict[str, Backend]:
    """Every module of ``backends`` that has a ``BACKEND``, by name."""
    found: list[Backend] = list(parts_of(backends.__name__, "BACKEND"))
    return {backend.name: backend for backend in sorted(found, key=lambda b: b.name)}


def backend_called(name: str) -> Backend:
    """The backend called ``name``.

    Raises:
        UsageError: there is none; the remedy lists those there are.
    """
    try:
        return all_backends()[name]
    except KeyError:
        raise UsageError(
            f"there is no backend '{name}'", f"choose from {', '.join(all_backends())}"
        ) from None


def require_kind(lab: Lab, kind: str, **attributes: object) -> None:
    """Refuse a lab whose kernel cannot make a ``kind`` of device, found by making one.

    Raises:
        UnsupportedError: it cannot.
    """
    with lab.network_namespace("trial") as trial:
        links.make(trial, "trial0", kind, **attributes)


def require_fallback_device(lab: Lab, module: str, device: str) -> None:
    """Refuse a lab whose namespaces are not born with the fallback ``device`` of ``module``.

    Loading the module puts the device into every namespace there is, the machine's own included.
    So it is loaded here in a guest alone.

    Raises:
        UnsupportedError: they are not.
    """
    if _has_fallback(lab, device):
        return
    if lab.name == "guest":
        with lab.network_namespace("trial") as trial:
            trial.run(["modprobe", module], check=False)
        if _has_fallback(lab, device):
            return
    raise UnsupportedError(
        f"this kernel has no {module}, or has not loaded it: a new namespace has no {device}",
        f"use the guest lab: --lab guest; or, where the kernel has the module, `modprobe {module}`"
        f" (it puts an idle {device} into every namespace)",
    )


def _has_fallback(lab: Lab, device: str) -> bool:
    with lab.network_namespace("trial") as trial:
        return links.exists(trial, device)
