"""What the instruction clock counts of an action that waits, against actions of known cost."""

from __future__ import annotations

import json
import shutil

import pytest

from cnbench.lab.guest import remote_command, start
from cnbench.lab.guest.agent import CODE

pytestmark = [
    pytest.mark.real,
    pytest.mark.slow,
    pytest.mark.skipif(
        shutil.which("qemu-system-x86_64") is None or not start.is_built("trixie"),
        reason="needs QEMU and: cnbench guest build",
    ),
]

PROGRAM = """
import contextlib, json, statistics, subprocess, sys, time
from cnbench.lab.clock import open_clock

stack = contextlib.ExitStack()
clock = stack.enter_context(open_clock("instructions"))
BURN = "sum(range({}))"
FEW, MANY = 20_000, 220_000

def burn(count):
    exec(BURN.format(count))

def sleeps(seconds):
    burn(MANY)
    time.sleep(seconds)
    burn(MANY)

def never_sleeps():
    burn(MANY)
    burn(MANY)

def in_a_child(count):
    subprocess.run([sys.executable, "-I", "-S", "-c", BURN.format(count)], check=True)

def cost(action, *arguments):
    action(*arguments)  # has everything in memory
    costs = [clock.timed(lambda: action(*arguments))[0] for _ in range(5)]
    return statistics.median(costs)

began = clock.ticks()
asleep = cost(sleeps, 0.1)
elapsed = clock.ticks() - began
print(json.dumps({
    "awake": cost(never_sleeps),
    "asleep": asleep,
    "elapsed": elapsed,
    "burnt": cost(burn, MANY) - cost(burn, FEW),
    "by a child": cost(in_a_child, MANY) - cost(in_a_child, FEW),
    "returned": clock.timed(lambda: "it")[1],
}))
stack.close()
"""


def test_waiting_is_not_counted_and_what_a_child_executes_is() -> None:
    argv = ["env", f"PYTHONPATH={CODE}", "python3", "-c", PROGRAM]
    with start.guest("trixie", "instructions") as machine:
        told = list(machine.run(remote_command.__name__, {"argv": argv, "stdin": ""}))
    assert told[-1] == {"status": 0}, told
    counted = json.loads("".join(str(line.get("stdout", "")) for line in told))
    # The clock itself went on: six sleeps of 100 million instructions each.
    assert counted["elapsed"] > 6 * (counted["awake"] + 100_000_000) * 0.99
    assert counted["asleep"] == pytest.approx(counted["awake"], rel=0.01)
    assert counted["by a child"] == pytest.approx(counted["burnt"], rel=0.01)
    assert counted["returned"] == "it"
