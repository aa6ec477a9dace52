import shutil
from pathlib import Path

import pytest

from cnbench.core.errors import CommandError, UsageError
from cnbench.lab.guest.build import apt, kernels
from cnbench.lab.guest.build.sources import Source
from cnbench.lab.guest.errors import GuestError

MIRROR = Source(("http://mirror.example/debian",), ("bookworm",), ("main",))
# A port nothing listens on: refused at once, without any network.
NOWHERE = Source(("http://127.0.0.1:9/debian",), (), ("main",))


def test_the_machines_apt_is_neither_read_from_nor_written_to(tmp_path: Path) -> None:
    apt.PrivateApt(tmp_path / "apt", MIRROR, "sid")
    settings = (tmp_path / "apt/apt.conf").read_text()
    assert "#clear APT::Update::Post-Invoke;" in settings
    folders = [line.split('"')[1] for line in settings.splitlines() if line.startswith("Dir::")]
    assert all(path.startswith(str(tmp_path / "apt")) for path in folders)
    assert "Suites: sid" in (tmp_path / "apt/debian.sources").read_text()


@pytest.mark.real
@pytest.mark.skipif(shutil.which("apt-get") is None, reason="needs apt-get")
def test_no_network_is_one_clear_sentence(tmp_path: Path) -> None:
    with pytest.raises(GuestError) as caught:
        apt.PrivateApt(tmp_path / "apt", NOWHERE, "trixie").update()
    assert str(caught.value).startswith("Debian trixie's package list could not be fetched: ")
    assert "127.0.0.1" in str(caught.value)
    assert "apt-get update" in caught.value.remedy


def test_the_reason_is_apts_own() -> None:
    stderr = "W: something\nE: Unable to locate package linux-image\nE: more\n"
    error = apt.cannot_fetch("the kernel", CommandError(["apt-get"], 100, stderr))
    assert str(error) == (
        "the kernel could not be fetched: E: Unable to locate package linux-image"
    )


def test_a_full_disk_is_not_taken_for_a_dead_network(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CNBENCH_CACHE", str(tmp_path))
    stderr = "Err:2 http://mirror trixie\n  Write error - write (28: No space left on device)\n"
    error = apt.cannot_fetch("the kernel", CommandError(["apt-get"], 100, stderr))
    assert str(error) == (
        f"the kernel could not be fetched: there is no space left for it in {tmp_path}"
    )
    assert "CNBENCH_CACHE" in error.remedy


def test_a_kernel_is_a_suite_or_a_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CNBENCH_CACHE", str(tmp_path))
    assert kernels.built_kernel("trixie") is None
    with pytest.raises(UsageError, match="no kernel is called 'jammy'"):
        kernels.built_kernel("jammy")
    with pytest.raises(GuestError, match="cannot be read"):
        kernels.built_kernel(str(tmp_path / "vmlinuz"))
