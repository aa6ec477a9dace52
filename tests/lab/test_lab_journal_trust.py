"""Journals that are none, and resources that several runs share."""

import os
import stat

import pytest
from journals import dead_journal, line, make, ours

from cnbench.core.errors import CnbenchError
from cnbench.lab import journal
from cnbench.lab.journal import collect, open_journal
from cnbench.lab.resources import Resource


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "journals"
    made.mkdir()
    return made


def a_pipe(path):
    os.mkfifo(path)


def a_link(path):
    target = path.parent.parent / "elsewhere"
    target.write_text(line("made", Resource("folder", "/tmp/cnbench-0123456789ab")))
    path.symlink_to(target)


def nested(path):
    path.write_text("[" * 200_000 + "\n")


def no_text(path):
    path.write_bytes(b"\xff\xfe\n")


def writable_by_all(path):
    path.write_text(line("made", Resource("folder", "/tmp/cnbench-0123456789ab")))
    path.chmod(0o666)


@pytest.mark.parametrize("odd", [a_pipe, a_link, nested, no_text, writable_by_all, os.mkdir])
def test_what_is_no_journal_stops_nothing(folder, tmp_path, odd):
    odd(folder / "aaa.jsonl")
    left = make(ours(tmp_path))
    dead_journal(folder, line("made", left), name="bbb")
    removed, problems = collect(folder)
    assert removed == [left]
    assert len(problems) == 1
    assert "aaa.jsonl" in problems[0]
    assert "\n" not in problems[0]
    assert (folder / "aaa.jsonl").exists()


def test_a_folder_that_another_could_have_planted_is_not_written_to(folder, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(folder)
    for planted in (link, folder):
        folder.chmod(0o777 if planted == folder else 0o755)
        with pytest.raises(CnbenchError, match="cannot be written"), open_journal("run", planted):
            pass
    assert list(folder.iterdir()) == []


def test_a_journal_is_for_its_user_alone(folder):
    with open_journal("run", folder) as book:
        assert stat.S_IMODE(book.path.stat().st_mode) == 0o600


def test_a_journal_full_disk_ends_with_no_half_line(folder, tmp_path, monkeypatch):
    resource, other = ours(tmp_path), ours(tmp_path)
    with open_journal("run", folder) as book, book.owning(resource):
        before = book.path.read_text()
        monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space")))
        with pytest.raises(CnbenchError, match="cannot be written: No space"), book.owning(other):
            pass
        assert book.path.read_text() == before
    assert list(folder.iterdir()) == []


class Controller:
    """A setting that is on or off, as a cgroup's controllers are."""

    def __init__(self, monkeypatch, on=False):
        self.on = on
        monkeypatch.setattr(journal, "remove", lambda _: self.turn(False))

    def turn(self, on):
        self.on = on

    def used(self, book):
        resource = Resource("controller", "/sys/fs/cgroup cpu")
        return book.sharing(resource, lambda: self.on, lambda: self.turn(True))


def test_the_last_of_overlapping_runs_turns_a_controller_off(folder, monkeypatch):
    controller = Controller(monkeypatch)
    with open_journal("second", folder) as second:
        with open_journal("first", folder) as first, controller.used(first):
            use = controller.used(second)
            use.__enter__()
        assert controller.on  # the first would have turned it off under the second
        use.__exit__(None, None, None)
        assert not controller.on


def test_a_controller_that_was_on_before_stays_on(folder, monkeypatch):
    controller = Controller(monkeypatch, on=True)
    with open_journal("run", folder) as book, controller.used(book):
        assert controller.on
    assert controller.on


def test_gc_leaves_a_controller_to_the_run_that_still_uses_it(folder, monkeypatch):
    controller = Controller(monkeypatch, on=True)
    dead_journal(folder, line("made", Resource("controller", "/sys/fs/cgroup cpu")))
    with open_journal("living", folder) as book:
        with controller.used(book):
            assert collect(folder) == ([], [])
            assert controller.on
        assert not controller.on
