"""Whether KVM works, decided by guests that are made up: one that boots, one that does not."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cnbench.lab.guest import acceleration
from cnbench.lab.guest.errors import GuestError

Boot = Callable[..., Any]
NOTHING: Any = None


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CNBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(acceleration, "_machine_key", lambda: "this machine")
    device = tmp_path / "kvm"
    device.touch()
    monkeypatch.setattr(acceleration, "_KVM", device)


def booting(error: GuestError | None, tries: list[float]) -> Boot:
    @contextlib.contextmanager
    def boot(*_: object, timeout: float) -> Iterator[None]:
        tries.append(timeout)
        if error:
            raise error
        yield

    return boot


def test_a_guest_that_never_boots_is_tried_once_and_soon_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tries: list[float] = []
    error = GuestError("the guest said nothing for 8 s while starting")
    monkeypatch.setattr(acceleration, "boot", booting(error, tries))
    assert "tries it" in acceleration.what_is_known()
    answers = [acceleration.best_accelerator(NOTHING, NOTHING) for _ in range(3)]
    assert answers == ["tcg"] * 3
    assert len(tries) == 1
    assert tries[0] < 10
    assert acceleration.what_is_known() == f"emulation: {error}"


def test_a_guest_that_boots_is_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[float] = []
    monkeypatch.setattr(acceleration, "boot", booting(None, tries))
    answers = [acceleration.best_accelerator(NOTHING, NOTHING) for _ in range(3)]
    assert answers == ["kvm"] * 3
    assert len(tries) == 1
    assert "has booted" in acceleration.what_is_known()


def test_without_the_device_nothing_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[float] = []
    monkeypatch.setattr(acceleration, "boot", booting(None, tries))
    monkeypatch.setattr(acceleration, "_KVM", Path("/dev/no-such-device"))
    assert acceleration.best_accelerator(NOTHING, NOTHING) == "tcg"
    assert tries == []
    assert "no /dev/no-such-device" in acceleration.what_is_known()
