import random
import signal
import subprocess
from dataclasses import dataclass, field

import pytest

from cnbench.lab.guest.agent import per_cpu
from cnbench.lab.guest.agent.per_cpu import fill

PAGE, PIECE = 4096, 8
LOW, HIGH = 2, 4  # PCPU_EMPTY_POP_PAGES_LOW and _HIGH of mm/percpu.c


@dataclass
class Kernel:
    """Gives out pieces as mm/percpu.c does: of gaps first; a worker keeps empty pages ahead.

    Attributes:
        gaps: free pieces before the end of what is in use.
        end: bytes from where nothing is in use.
        pages: how many it has; those of gaps are among them.
        late: at how many of ten pieces the worker does not come to run.
    """

    gaps: int
    end: int
    pages: int
    late: int = 0
    chance: random.Random = field(default_factory=random.Random)

    def take(self, pieces: int) -> None:
        for _ in range(pieces):
            if self.gaps:
                self.gaps -= 1
            else:
                self.end = -(-self.end // PIECE) * PIECE + PIECE
                self.pages = max(self.pages, -(-self.end // PAGE))
        if self._empty() < LOW and self.chance.randrange(10) >= self.late:
            self.pages += HIGH - self._empty()

    def _empty(self) -> int:
        return self.pages - -(-self.end // PAGE)

    def kept(self) -> int:
        return self.pages * PAGE // 1024


def filled(seed: int, late: int = 0) -> Kernel:
    """A kernel after a boot as ``seed`` has it, filled."""
    chance = random.Random(seed)
    end = chance.randrange(62 * PAGE, 66 * PAGE, 4)
    pages = -(-end // PAGE) + chance.randint(LOW, HIGH)
    kernel = Kernel(chance.randrange(400), end, pages, late, chance)
    fill(kernel.take, kernel.kept)
    return kernel


def test_every_boot_has_it_in_use_up_to_one_place() -> None:
    kernels = [filled(seed) for seed in range(200)]
    assert {kernel.gaps for kernel in kernels} == {0}
    assert {kernel.end for kernel in kernels} == {88 * PAGE + PIECE}


def test_a_worker_that_comes_late_would_set_boots_apart() -> None:
    assert len({filled(seed, late=9).end for seed in range(200)}) > 1


@pytest.mark.parametrize("kibibytes", [400, 1000])
def test_a_kernel_that_has_much_already_is_filled_further(kibibytes: int) -> None:
    kernel = Kernel(gaps=300, end=kibibytes * 1024 - 3 * PAGE, pages=kibibytes * 1024 // PAGE)
    fill(kernel.take, kernel.kept)
    assert kernel.gaps == 0
    assert kernel.end > kibibytes * 1024


def test_room_is_given_back_by_the_death_of_who_holds_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(per_cpu.time, "sleep", lambda seconds: None)
    with subprocess.Popen(["sleep", "60"]) as holder:
        per_cpu.give_room(holder.pid)
        assert holder.wait(30) == -signal.SIGKILL
