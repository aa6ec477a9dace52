"""The machine's name in asv, and where asv keeps it."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterator
from pathlib import Path

import pytest
from asv.machine import Machine, MachineCollection

from cnbench.asv import machine
from cnbench.asv.machine import machine_name, this_machine


@pytest.mark.parametrize(
    ("cpu", "expected"),
    [
        ("AMD EPYC 9654 96-Core Processor", "AMD-EPYC-9654-2cpus-6.12.30-cloud"),
        ("Intel(R) Xeon(R) CPU @ 2.20GHz", "Intel-Xeon-2cpus-6.12.30-cloud"),
        ("Intel(R) Core(TM) i5-2520M CPU @ 2.50GHz", "Intel-Core-i5-2520M-2cpus-6.12.30-cloud"),
        ("aarch64", "aarch64-2cpus-6.12.30-cloud"),
        ("../../etc", "etc-2cpus-6.12.30-cloud"),
        ("", "unknown-2cpus-6.12.30-cloud"),
    ],
)
def test_a_machine_is_called_by_cpu_and_kernel(cpu: str, expected: str) -> None:
    assert machine_name(cpu, 2, "6.12.30-cloud") == expected


def test_two_kernels_are_two_machines() -> None:
    assert machine_name("x", 1, "6.1.0") != machine_name("x", 1, "6.12.0")


def test_the_name_has_this_kernel_and_not_this_host() -> None:
    assert platform.release() in this_machine()
    assert platform.node() not in this_machine()


@pytest.fixture
def asv_restored() -> Iterator[None]:
    """asv's own ways put back after a test that loaded the plugin."""
    path, name = MachineCollection.get_machine_file_path, Machine.hardcoded_machine_name
    yield
    MachineCollection.get_machine_file_path = staticmethod(path)
    Machine.hardcoded_machine_name = name


@pytest.mark.usefixtures("asv_restored")
def test_asv_knows_the_machine_and_the_home_folder_stays_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, checkout = tmp_path / "home", tmp_path / "checkout"
    for folder in (home, checkout):
        folder.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(checkout)

    machine.setup()
    # Without a terminal asv would refuse to make a machine up here; it finds ours.
    found = Machine.load(interactive=True)

    assert found.machine == this_machine()
    assert platform.release() in found.os
    assert list(home.iterdir()) == []
    kept = json.loads((checkout / ".cache/asv/machines.json").read_text())
    assert kept[this_machine()]["machine"] == this_machine()
    assert platform.node() not in json.dumps(kept)


@pytest.mark.usefixtures("asv_restored")
def test_a_name_that_the_user_gave_stays_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    machine.setup()
    Machine.load(machine="mine")  # what `asv machine --machine mine --yes` does
    machine.setup()
    assert Machine.load(machine_name="mine").machine == "mine"
