"""Real guests. They need an image in the cache, and never fetch one."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cnbench.lab.guest import acceleration, saved, start
from cnbench.lab.guest.build.code import ensure_code
from cnbench.lab.guest.build.images import Image, built_userland
from cnbench.lab.guest.build.kernels import Kernel, built_kernel
from cnbench.lab.guest.errors import GuestError
from cnbench.lab.guest.machine import Machine, restore
from cnbench.lab.guest.qemu import Hardware
from cnbench.lab.guest.randomness import fix_random_numbers

KERNEL = "trixie"
CLOCK = Hardware("instructions")

pytestmark = [
    pytest.mark.real,
    pytest.mark.slow,
    pytest.mark.skipif(
        shutil.which("qemu-system-x86_64") is None, reason="needs QEMU: qemu-system-x86"
    ),
    pytest.mark.skipif(
        not start.is_built(KERNEL), reason=f"needs: cnbench guest build --kernel {KERNEL}"
    ),
]

MODULES = {
    "echo": "import json, sys\nprint(json.dumps({'got': json.loads(input()), 'by': 1}))\n",
    "panics": "from pathlib import Path\nPath('/proc/sysrq-trigger').write_text('c')\n",
    "hoards": "kept = []\nwhile True:\n    kept.append(bytearray(1 << 24))\n",
    "hangs": "import time\nprint('{\"up\": 1}', flush=True)\ntime.sleep(1e6)\n",
    "equipped": "import json, os, shutil, numpy\n"
    "tools = ('bird', 'birdc', 'ipset', 'mkfs.btrfs', 'mkfs.ext4', 'mkfs.xfs', 'tc', 'wg')\n"
    "os.close(os.open('/dev/loop-control', os.O_RDWR))\n"
    "room = os.statvfs('/tmp')\n"
    "print(json.dumps({'missing': [tool for tool in tools if not shutil.which(tool)],\n"
    "    'dot': int(numpy.arange(3) @ numpy.arange(3)),\n"
    "    'loop': os.path.exists('/sys/module/loop'),\n"
    "    'room': room.f_bavail * room.f_frsize}))\n",
    "imported": "import json, sys\n"
    "print(json.dumps({'imported': sorted(set(sys.modules) & {'trial.plain', 'trial.broken'}),\n"
    "    'answers': sys.modules['trial.asked'].answers}))\n",
    "plain": "",
    "asked": "answers = []\ndef ask():\n    answers.append(1)\n",
    "late": "import json, sys, time\nsys.stdin.readline()\n"
    "open('/usr/bin/btrfs', 'rb').read()\n"
    "print(json.dumps({'now': time.monotonic()}))\n",
    "broken": "import no_such_module\n",
    "random": "import os\nos.getrandom(1, os.GRND_NONBLOCK)\nprint('{\"seeded\": 1}')\n",
    "works": "import json, time\n"
    "def work():\n"
    "    began = time.perf_counter_ns()\n"
    "    sum(range(10000))\n"
    "    return time.perf_counter_ns() - began\n"
    "print(json.dumps({'ticks': sorted(work() for _ in range(51))[25]}))\n",
}


@pytest.fixture(scope="module")
def parts() -> tuple[Kernel, Image]:
    kernel, userland = built_kernel(KERNEL), built_userland()
    assert kernel is not None
    assert userland is not None
    return kernel, userland


def code_disk(userland: Image, folder: Path, modules: dict[str, str]) -> Path:
    package = folder / "trial"
    package.mkdir(parents=True)
    for name, source in {**modules, "__init__": ""}.items():
        (package / f"{name}.py").write_text(source)
    return ensure_code(userland, {"trial": package})


@pytest.fixture
def machine(parts: tuple[Kernel, Image], tmp_path: Path) -> Iterator[Machine]:
    kernel, userland = parts
    state = saved.ensure_state(kernel, userland, CLOCK)
    code = code_disk(userland, tmp_path, MODULES)
    with restore(kernel, userland, CLOCK, code, state) as restored:
        restored.ask({"do": "attach"})
        yield restored


def test_a_guest_loads_modules_and_runs_a_plan(machine: Machine) -> None:
    assert list(machine.load(["ip_vs_rr", "ipip", "no_such_module"])) == ["no_such_module"]
    assert list(machine.run("trial.echo", {"plan": [1, 2]})) == [{"got": {"plan": [1, 2]}, "by": 1}]


def test_a_guest_has_what_experiments_build_on(machine: Machine) -> None:
    modules = ["overlay", "xfs", "btrfs", "sch_netem", "sch_tbf", "wireguard", "dummy", "xt_recent"]
    assert machine.load(modules) == {}
    (found,) = machine.run("trial.equipped")
    # Four file systems with a file of 64 MiB and two copies of it, and XFS' 300 MiB each.
    assert found.pop("room") > 4 * (3 * 64 + 384) << 20
    assert found == {"missing": [], "dot": 5, "loop": True}


def test_the_random_number_generator_is_seeded_before_anything_is_measured(
    machine: Machine,
) -> None:
    assert list(machine.run("trial.random")) == [{"seeded": 1}]


def test_random_numbers_follow_from_the_key_that_a_guest_is_given(
    parts: tuple[Kernel, Image], tmp_path: Path
) -> None:
    kernel, userland = parts
    state, code = saved.ensure_state(*parts, CLOCK), code_disk(userland, tmp_path, MODULES)
    own, given = set(), set()
    for _ in range(2):
        with restore(kernel, userland, CLOCK, code, state) as machine:
            machine.ask({"do": "attach"})
            machine.ask({"do": "reseed"})
            own.add(machine.ask({"do": "draw"})["number"])
            fix_random_numbers(machine, pytest.fail)
            given.add(machine.ask({"do": "draw"})["number"])
    assert len(own) == 2
    assert len(given) == 1


def test_a_guest_that_waits_lives_through_no_more_than_it_executes(machine: Machine) -> None:
    ((before,), (after,)) = (list(machine.run("trial.late", {})) for _ in range(2))
    # Between the two it read from its disks, and waited for the host's request.
    assert after["now"] - before["now"] < 5


def test_a_panic_is_told_in_the_kernels_words(machine: Machine) -> None:
    with pytest.raises(GuestError, match="its kernel panicked: sysrq triggered crash") as caught:
        list(machine.run("trial.panics"))
    assert any("sysrq" in line for line in caught.value.console)


def test_running_out_of_memory_fails_the_module_and_not_the_guest(machine: Machine) -> None:
    with pytest.raises(GuestError, match="ran out of memory") as caught:
        list(machine.run("trial.hoards"))
    assert "more memory" in caught.value.remedy
    assert list(machine.run("trial.echo", {})) == [{"got": {}, "by": 1}]


def test_a_hang_ends_with_the_guest(machine: Machine) -> None:
    messages = machine.run("trial.hangs", silence=3)
    assert next(messages) == {"up": 1}
    with pytest.raises(GuestError, match=r"said nothing for 3 s while running trial\.hangs"):
        next(messages)


def test_a_restored_guest_has_todays_code_and_repeats_itself(
    parts: tuple[Kernel, Image], tmp_path: Path
) -> None:
    kernel, userland = parts
    state = saved.ensure_state(kernel, userland, CLOCK)
    ticks = []
    for day in ("monday", "tuesday"):
        modules = {**MODULES, "day": f'print(\'{{"day": "{day}"}}\')\n'}
        code = code_disk(userland, tmp_path / day, modules)
        with restore(kernel, userland, CLOCK, code, state) as machine:
            machine.ask({"do": "attach"})
            assert list(machine.run("trial.day")) == [{"day": day}]
            ticks += [message["ticks"] for message in machine.run("trial.works")]
    assert max(ticks) <= min(ticks) * 1.001


def test_a_guest_goes_on_with_what_was_imported_before_it_was_saved(
    parts: tuple[Kernel, Image], tmp_path: Path
) -> None:
    code = code_disk(parts[1], tmp_path, MODULES)
    imports = ("trial.plain", "trial.broken", "trial.missing", "trial.asked:ask")
    state = saved.ensure_attached_state(*parts, CLOCK, code, imports)
    with restore(*parts, CLOCK, code, state) as machine:
        assert list(machine.run("trial.imported")) == [
            {"imported": ["trial.plain"], "answers": [1]}
        ]


def test_a_guest_dies_with_the_process_that_started_it() -> None:
    script = (
        "import time\nfrom cnbench.lab.guest import start\n"
        f"with start.guest({KERNEL!r}, 'instructions') as machine:\n"
        "    print(machine._process.pid, flush=True)\n    time.sleep(100)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        guest = int(parent.stdout.readline())
        os.kill(guest, 0)
        parent.kill()
    deadline = time.monotonic() + 10
    while Path(f"/proc/{guest}/exe").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    # Whoever inherits it may take a while to bury it: what counts is that it runs no more.
    assert not Path(f"/proc/{guest}/exe").exists()


def test_the_answer_about_kvm_is_remembered(parts: tuple[Kernel, Image]) -> None:
    first = acceleration.best_accelerator(*parts)
    assert first in ("kvm", "tcg")
    assert acceleration.best_accelerator(*parts) == first


def test_a_state_that_cannot_be_read_is_made_anew_and_no_other(
    parts: tuple[Kernel, Image], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    kernel, userland = parts
    folder = tmp_path / "states"
    monkeypatch.setattr(saved, "_folder", lambda: folder)
    machine = saved.machine_digest(kernel, userland, CLOCK)[:24]
    for name in (machine, f"{machine}-0123", "another"):
        (folder / name).mkdir(parents=True)
    saved.forget(kernel, userland, CLOCK)
    assert [place.name for place in folder.iterdir()] == ["another"]
