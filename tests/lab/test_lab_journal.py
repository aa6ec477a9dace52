import contextlib
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from journals import dead_journal, line, make, ours

from cnbench.core.errors import CnbenchError, UnsupportedError
from cnbench.lab import journal, resources
from cnbench.lab.journal import collect, open_journal
from cnbench.lab.resources import MARK, Resource


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "journals"
    made.mkdir()
    return made


def test_a_resource_is_written_down_before_it_is_made_and_after_it_is_gone(folder, tmp_path):
    resource = ours(tmp_path)
    with open_journal("run", folder) as book:
        path = folder / "run.jsonl"
        with book.owning(resource):
            assert path.read_text() == line("made", resource)
            make(resource)
        assert not Path(resource.what).exists()
        assert path.read_text() == line("made", resource) + line("gone", resource)
    assert list(folder.iterdir()) == []


def test_a_resource_goes_when_its_owner_fails(folder, tmp_path):
    resource = ours(tmp_path)
    with (
        contextlib.suppress(ZeroDivisionError),
        open_journal("run", folder) as book,
        book.owning(resource),
    ):
        make(resource)
        raise ZeroDivisionError
    assert not Path(resource.what).exists()


def test_what_cannot_be_removed_stays_written_down(folder, tmp_path, monkeypatch):
    resource = ours(tmp_path)
    with (  # noqa: PT012
        pytest.raises(CnbenchError, match="could not remove the folder"),
        open_journal("run", folder) as book,
        book.owning(resource),
    ):
        make(resource)
        monkeypatch.setattr("shutil.rmtree", lambda path: (_ for _ in ()).throw(OSError("busy")))
    monkeypatch.undo()
    assert collect(folder) == ([resource], [])
    assert not Path(resource.what).exists()


def test_a_dead_runs_things_are_collected_last_made_first(folder, tmp_path):
    outer = make(ours(tmp_path))
    inner = make(ours(Path(outer.what)))
    path = dead_journal(folder, line("made", outer), line("made", inner))
    assert collect(folder) == ([inner, outer], [])
    assert not Path(outer.what).exists()
    assert not path.exists()


def test_collecting_twice_is_collecting_once(folder, tmp_path):
    dead_journal(folder, line("made", make(ours(tmp_path))))
    collect(folder)
    assert collect(folder) == ([], [])
    assert collect(folder / "never made") == ([], [])


def test_what_was_written_down_and_never_made_is_no_trouble(folder, tmp_path):
    never = [ours(tmp_path), ours(tmp_path, "mount"), ours(tmp_path, "cgroup")]
    dead_journal(folder, *(line("made", resource) for resource in never))
    assert collect(folder) == (never[::-1], [])


def test_what_is_gone_is_not_collected(folder, tmp_path):
    resource = ours(tmp_path)
    dead_journal(folder, line("made", resource), line("gone", resource))
    make(resource)  # somebody else's by now
    assert collect(folder) == ([], [])
    assert Path(resource.what).exists()


def test_a_dry_run_removes_nothing_and_keeps_the_journal(folder, tmp_path):
    resource = make(ours(tmp_path))
    path = dead_journal(folder, line("made", resource))
    assert collect(folder, dry_run=True) == ([resource], [])
    assert Path(resource.what).exists()
    assert path.exists()


@pytest.mark.parametrize("kept", [1, 10, 40])
def test_a_last_line_cut_short_was_never_made(folder, tmp_path, kept):
    made = make(ours(tmp_path))
    cut = line("made", ours(tmp_path))[:kept]
    dead_journal(folder, line("made", made), cut)
    assert collect(folder) == ([made], [])


def test_an_empty_journal_is_deleted(folder):
    path = dead_journal(folder)
    assert collect(folder) == ([], [])
    assert not path.exists()


@pytest.mark.parametrize(
    "damage",
    ["not json\n", "[]\n", "3\n", "null\n", '{"made": {}}\n', '{"made": 3}\n', "{}\n", "\n",
     '{"made": {"kind": "folder"}}\n', '{"a": {}, "b": {}}\n', "\x00\x00\n", '[["made"]]\n'],
)  # fmt: skip
def test_a_damaged_journal_is_told_of_and_left_alone(folder, tmp_path, damage):
    path = dead_journal(folder, damage)
    other = make(ours(tmp_path))
    dead_journal(folder, line("made", other), name="other")
    removed, (problem,) = collect(folder)
    assert problem == f"the journal {path} is damaged; look at it, then delete it"
    assert path.read_text() == damage
    assert removed == [other]  # it stops nobody else's


def test_an_unknown_kind_is_told_of_and_kept(folder):
    path = dead_journal(folder, line("made", Resource("spaceship", f"/tmp/{MARK}{'0' * 12}")))
    removed, (problem,) = collect(folder)
    assert removed == []
    assert "spaceship" in problem
    assert path.exists()


@pytest.mark.parametrize("kind", ["folder", "cgroup", "mount"])
@pytest.mark.parametrize(
    "name", ["precious", "cnbench-results", "cnbench-", f"{MARK}{'0' * 13}", f"my-{MARK}{'0' * 12}"]
)
def test_what_is_not_named_like_ours_is_never_removed(folder, tmp_path, kind, name):
    precious = tmp_path / name
    make(Resource(kind, str(precious)))
    path = dead_journal(folder, line("made", Resource(kind, str(precious))))
    removed, (problem,) = collect(folder)
    assert removed == []
    assert "left alone" in problem
    assert (precious / "inside").read_text() == "something"
    assert path.exists()


def test_a_way_out_of_what_is_ours_is_not_taken(folder, tmp_path):
    make(Resource("folder", str(tmp_path / "precious")))
    make(ours(tmp_path))
    out = f"{tmp_path}/{MARK}{'0' * 12}/../precious"
    _, (problem,) = collect_one(folder, Resource("folder", out))
    assert "left alone" in problem
    assert (tmp_path / "precious" / "inside").exists()


def collect_one(folder, resource):
    dead_journal(folder, line("made", resource))
    return collect(folder)


@pytest.mark.parametrize("what", ["/etc cpu", "cpu", "", "/sys/fs/cgroup/../../../etc cpu"])
def test_a_controller_is_one_of_a_cgroup(folder, what):
    _, (problem,) = collect_one(folder, Resource("controller", what))
    assert "left alone" in problem


def test_a_symbolic_link_is_not_followed(folder, tmp_path):
    precious = make(Resource("folder", str(tmp_path / "precious")))
    link = ours(tmp_path)
    Path(link.what).symlink_to(precious.what)
    collect_one(folder, link)
    assert Path(precious.what, "inside").exists()


def test_a_strangers_journal_is_not_believed(folder, tmp_path, monkeypatch):
    resource = make(ours(tmp_path))
    dead_journal(folder, line("made", resource))
    monkeypatch.setattr(os, "geteuid", lambda: folder.stat().st_uid + 1)
    removed, (problem,) = collect(folder)
    assert removed == []
    assert "belongs to another user" in problem
    with (
        pytest.raises(UnsupportedError, match="belongs to another user"),
        open_journal("x", folder),
    ):
        pass


def test_a_journal_that_cannot_be_begun_says_why(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    with (
        pytest.raises(UnsupportedError, match=r"journal cannot be written in .*Not a directory"),
        open_journal("run", blocked / "journals"),
    ):
        pass


def test_nothing_is_made_when_the_journal_cannot_be_written(folder, tmp_path, monkeypatch):
    reached = []
    with open_journal("run", folder) as book:
        monkeypatch.setattr(os, "fsync", lambda fd: (_ for _ in ()).throw(OSError(28, "No space")))
        with (
            pytest.raises(CnbenchError, match="cannot be written: No space"),
            book.owning(ours(tmp_path)),
        ):
            reached.append("inside")
    assert reached == []


def test_the_journal_of_a_live_run_is_left_alone(folder, tmp_path):
    resource = ours(tmp_path)
    with open_journal("run", folder) as book, book.owning(resource):
        make(resource)
        assert collect(folder) == ([], [])
        assert Path(resource.what).exists()


def owner_process(folder, what, ending):
    """Another process that makes ``what`` and then waits, or dies by ``ending``."""
    program = textwrap.dedent(f"""
        import os, signal, sys, pathlib
        from cnbench.lab.journal import open_journal
        from cnbench.lab.resources import Resource
        with open_journal("other", pathlib.Path({str(folder)!r})) as book:
            with book.owning(Resource("folder", {what!r})):
                os.mkdir({what!r})
                print("made", flush=True)
                {ending}
    """)
    return subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True
    )


def test_a_live_process_keeps_its_things_and_a_killed_one_loses_them(folder, tmp_path):
    resource = ours(tmp_path)
    with owner_process(folder, resource.what, "sys.stdin.read()") as owner:
        assert owner.stdout.readline() == "made\n"
        assert collect(folder) == ([], [])
        assert Path(resource.what).exists()
        owner.send_signal(signal.SIGKILL)
        owner.wait()
    assert collect(folder) == ([resource], [])
    assert not Path(resource.what).exists()


@pytest.mark.real
def test_a_folder_with_a_mount_in_it_is_left_alone_even_behind_a_link(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    resource = make(ours(tmp_path / "link"))
    mounted = Path(resource.what, "mounted").resolve()
    mounted.mkdir()
    try:
        resources.libc.mount("cnbench-test", str(mounted), "tmpfs", "size=64k")
    except OSError as error:
        pytest.skip(f"nothing can be mounted here: {error}")
    try:
        (mounted / "precious").write_text("")
        with pytest.raises(CnbenchError, match="something mounted in it"):
            resources.remove(resource)
        assert (mounted / "precious").exists()
        resources.remove(Resource("mount", str(mounted)))
        resources.remove(resource)
        assert not Path(resource.what).exists()
    finally:
        with contextlib.suppress(OSError):
            resources.libc.unmount(str(mounted), resources.libc.MNT_DETACH)


def test_a_users_journals_are_where_they_are_emptied_at_boot(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert journal.default_folder() == Path("/run/cnbench")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/1000")
    assert journal.default_folder() == Path("/run/user/1000/cnbench")
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    assert journal.default_folder().name.startswith("cnbench.")
