"""Saved set-ups: how much room they take, what makes room, and what killed processes leave."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from cnbench.lab.guest import saved_setups
from cnbench.lab.guest.errors import GuestError
from cnbench.lab.guest.machine import Machine

TOLD = [{"event": "GroupReady", "number": 0, "sound": True}]
AN_HOUR_AGO = 4000


class Guest:
    """A guest whose state has so many bytes."""

    def __init__(self, size: int, error: Exception | None = None) -> None:
        self.size = size
        self.error = error
        self.commands: list[str] = []
        self.monitor = self

    def save(self, path: Path) -> None:
        path.write_bytes(bytes(self.size))
        if self.error:
            raise self.error

    def command(self, name: str) -> None:
        self.commands.append(name)


Save = Callable[..., bool]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Room for three states of 1,000 bytes."""
    monkeypatch.setattr(saved_setups, "_folder", lambda: tmp_path)
    monkeypatch.setattr(saved_setups, "_MOST_BYTES", 3_500)
    monkeypatch.setattr(saved_setups, "_LEFT_FREE_BYTES", 1)
    return tmp_path


@pytest.fixture
def save(folder: Path) -> Save:
    def save(name: str, age: float = 0.0) -> bool:
        done = saved_setups.save(name, cast(Machine, Guest(1000)), TOLD)
        if age:
            os.utime(folder / name, (time.time() - age,) * 2)
        return done

    return save


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_what_was_saved_is_found_with_what_was_told(save: Save) -> None:
    assert saved_setups.find("a") is None
    assert save("a")
    found = saved_setups.find("a")
    assert found is not None
    assert found.told == TOLD
    assert found.state.stat().st_size == 1000
    assert abs(time.time() - time.mktime(time.strptime(found.saved[:19], "%Y-%m-%dT%H:%M:%S"))) < 60


def test_a_guest_goes_on_when_it_is_saved_and_when_it_could_not_be(folder: Path) -> None:
    guest = Guest(10)
    saved_setups.save("a", cast(Machine, guest), TOLD)
    assert guest.commands == ["cont"]
    guest = Guest(10, GuestError("the guest's state was not transferred"))
    with pytest.raises(GuestError):
        saved_setups.save("b", cast(Machine, guest), TOLD)
    assert guest.commands == ["cont"]
    assert names(folder) == {"a"}


def test_what_was_not_used_for_an_hour_makes_room_oldest_first(save: Save, folder: Path) -> None:
    assert all(save(name, age) for name, age in (("a", 5000), ("b", 6000), ("c", 0)))
    assert save("d")
    assert names(folder) == {"a", "c", "d"}


def test_what_other_code_was_saved_with_makes_room_first(save: Save, folder: Path) -> None:
    assert all(save(name, age) for name, age in (("old-a", 20), ("new-a", 5000), ("old-b", 10)))
    assert save("new-b")
    assert names(folder) == {"new-a", "old-b", "new-b"}
    assert save("new-c")
    assert names(folder) == {"new-a", "new-b", "new-c"}


def test_using_one_keeps_it(save: Save, folder: Path) -> None:
    assert all(save(name, AN_HOUR_AGO + n) for n, name in enumerate("abc"))
    saved_setups.find("c")
    save("d")
    assert names(folder) == {"a", "c", "d"}


def test_where_all_is_in_use_nothing_more_is_saved(save: Save, folder: Path) -> None:
    assert all(save(name) for name in "abc")
    assert not save("d")
    assert names(folder) == {"a", "b", "c"}


def test_a_disk_that_is_nearly_full_takes_none(
    save: Save, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saved_setups, "_LEFT_FREE_BYTES", 1 << 60)
    assert not save("a")
    assert names(folder) == set()


def test_what_a_killed_process_was_writing_is_removed_and_no_others(
    save: Save, folder: Path
) -> None:
    long_ago = (time.time() - 100,) * 2
    for name in ("killed", "just-begun"):
        (folder / f".building-{name}").mkdir()
    os.utime(folder / ".building-killed", long_ago)
    with saved_setups._building() as busy:
        os.utime(busy, long_ago)
        save("a")
        assert names(folder) == {"a", ".building-just-begun", busy.name}


def test_half_of_one_is_none(folder: Path) -> None:
    for name, told in (("empty", ""), ("cut", '[{"event"')):
        (folder / name).mkdir()
        (folder / name / "told").write_text(told)
        assert saved_setups.find(name) is None


def test_forgetting_a_machine_forgets_all_of_its_set_ups(save: Save, folder: Path) -> None:
    for name in ("one-a", "one-b", "two-a"):
        save(name)
    saved_setups.forget("one")
    assert names(folder) == {"two-a"}


def test_two_that_save_the_same_leave_one(folder: Path) -> None:
    class Slow(Guest):
        def save(self, path: Path) -> None:
            super().save(path)
            saved_setups.save("a", cast(Machine, Guest(5)), TOLD)

    saved_setups.save("a", cast(Any, Slow(9)), TOLD)
    found = saved_setups.find("a")
    assert found is not None
    assert found.state.stat().st_size == 5
    assert names(folder) == {"a"}
