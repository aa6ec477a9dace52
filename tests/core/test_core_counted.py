from dataclasses import dataclass

from cnbench.core.counted import Counted


@dataclass(frozen=True)
class Packets(Counted):
    sent: int
    lost: int = 0


@dataclass(frozen=True)
class Machine(Counted):
    network: Packets
    seconds: float


def test_two_readings_differ_by_what_came_between_them():
    before, after = Machine(Packets(3, 1), 0.5), Machine(Packets(10, 1), 2.0)
    assert after - before == Machine(Packets(7, 0), 1.5)
    assert before + (after - before) == after
