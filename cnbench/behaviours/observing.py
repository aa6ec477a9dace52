"""Asking several kernels the same questions: this machine's, and those that guests boot.

Guests are asked on the instruction clock. What waits costs nothing there, since the clock skips to
the next timer, and whatever is up to chance follows from one seed: two runs answer alike.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from cnbench.behaviours import guest_entry
from cnbench.behaviours.behaviour import Behaviour
from cnbench.behaviours.observation import Observation, observe
from cnbench.behaviours.registry import subjects
from cnbench.behaviours.table import Column
from cnbench.core import stopping
from cnbench.core.codec import from_plain
from cnbench.lab.guest import start
from cnbench.lab.guest.errors import GuestError
from cnbench.lab.host import open_lab

HOST = "host"
Progress = Callable[[str], None]

# Of virtual time most skips what waits; the slowest probe takes half a minute on a busy machine.
_SILENCE_SECONDS = 300


def observe_kernels(
    kernels: Sequence[str],
    asked: Sequence[Behaviour],
    controls: bool = False,
    progress: Progress = lambda _: None,
) -> list[Column]:
    """What each of ``kernels`` answers: this machine first, then as many guests as it has CPUs.

    Raises:
        UnsupportedError: a guest is not built, or QEMU is missing.
        GuestError: no guest of a kernel starts.
    """
    found = {
        name: observe_kernel(name, asked, controls, progress) for name in kernels if name == HOST
    }
    guests = [name for name in kernels if name != HOST]
    with ThreadPoolExecutor(os.cpu_count()) as at_once:
        ended = at_once.map(lambda name: observe_kernel(name, asked, controls, progress), guests)
        found.update(zip(guests, ended, strict=True))
    return [found[name] for name in kernels]


def observe_kernel(
    kernel: str,
    asked: Sequence[Behaviour],
    controls: bool = False,
    progress: Progress = lambda _: None,
) -> Column:
    """What ``kernel`` (``host``, a suite, or the path of a vmlinuz) answers to all that is asked.

    Raises:
        UnsupportedError: its guest is not built, or QEMU is missing.
        GuestError: no guest of it starts.
    """
    if kernel == HOST:
        return _observe_host(asked, controls, progress)
    release, found = "", []
    left = list(asked)
    while left:
        begun = ""
        try:
            with start.guest(kernel, "instructions", progress, tuple(_imports())) as machine:
                release = machine.release
                request = {
                    "behaviours": [behaviour.name for behaviour in left],
                    "controls": controls,
                }
                for message in machine.run(guest_entry.__name__, request, silence=_SILENCE_SECONDS):
                    stopping.check()
                    if "begun" in message:
                        begun = message["begun"]
                        progress(f"{release}: {begun}")
                    else:
                        found.append(from_plain(Observation, message))
                        left = left[1:]
        except GuestError as error:
            # It took its guest down with it; the others are asked in a new one.
            if not left:  # its own end is nobody's answer
                progress(str(error))
                break
            if begun != left[0].name:
                raise
            found.append(Observation(begun, "failed", reason=str(error)))
            left = left[1:]
    return Column(kernel, release, tuple(found))


def _imports() -> Iterator[str]:
    """What a saved guest has in memory: the probes, and what they use."""
    yield from (guest_entry.__name__, "pyroute2")
    yield "cnbench.behaviours.registry:all_behaviours"
    yield from subjects()


def _observe_host(asked: Sequence[Behaviour], controls: bool, progress: Progress) -> Column:
    release = os.uname().release
    found = []
    with open_lab(HOST, "wall") as lab:
        for behaviour in asked:
            progress(f"{release}: {behaviour.name}")
            found.append(observe(behaviour, lab, controls))
    return Column(HOST, release, tuple(found))
