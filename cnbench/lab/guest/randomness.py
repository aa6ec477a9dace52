"""Having a guest's kernel draw the same random numbers after every boot.

With its random numbers a kernel shuffles its hash tables, so they decide which entries share a
chain, and with that what a look-up costs: between two boots IPVS with its sets of 1,000 services
differed by 0.1 %. The kernel seeds itself from the timing of interrupts, and no boot option makes
it leave that. So what its numbers are made from is overwritten before a guest's state is saved: the
key of ``base_crng`` (drivers/char/random.c, since 5.18, and 5.10 and 5.15 in later releases). A
minute of the guest's clock later, the kernel takes a key of its own again.
"""

from __future__ import annotations

from cnbench.lab.guest.build.images import Progress
from cnbench.lab.guest.debugger import Debugger, open_debugger
from cnbench.lab.guest.errors import GuestError
from cnbench.lab.guest.machine import Machine

_KEY = bytes(32)
# Between the new seed and the new key, a thread of the kernel may draw a number by the old one.
_ATTEMPTS = 5


def fix_random_numbers(machine: Machine, progress: Progress) -> None:
    """Have ``machine`` draw the same numbers from here on, whichever boot it came from.

    Where its kernel does not tell where the key is (CONFIG_KALLSYMS_ALL), ``progress`` is told.

    Raises:
        GuestError: its numbers do not follow from the key.
    """
    if not machine.ask({"do": "reseed"})["key"]:
        progress("this kernel hides its random number generator: boots will differ a little")
        return
    with open_debugger(machine.monitor) as debugger:
        machine.monitor.command("cont")
        for _ in range(_ATTEMPTS):
            if _draw(machine, debugger) == _draw(machine, debugger):
                return
    raise GuestError("the guest's random numbers do not follow from the key they were given")


def _draw(machine: Machine, debugger: Debugger) -> str:
    """The first number that is drawn by the key."""
    key = int(machine.ask({"do": "reseed"})["key"], 16)
    machine.monitor.command("stop")
    debugger.write(key, _KEY)
    machine.monitor.command("cont")
    return str(machine.ask({"do": "draw"})["number"])
