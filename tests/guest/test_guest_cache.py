import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cnbench.core.errors import UnsupportedError
from cnbench.lab.guest.build import cache


def test_the_folder_is_chosen_by_the_user_then_by_the_desktop(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("CNBENCH_CACHE", raising=False)
    assert cache.folder() == tmp_path / "cnbench"
    monkeypatch.setenv("CNBENCH_CACHE", str(tmp_path / "mine"))
    assert cache.folder() == tmp_path / "mine"


def test_what_is_published_is_there_whole(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "image"
    with cache.publishing(target) as building:
        (building / "file").write_text("new")
        assert not target.exists()
    assert (target / "file").read_text() == "new"


def test_a_failed_build_leaves_the_old_one(tmp_path: Path) -> None:
    target = tmp_path / "image"
    with cache.publishing(target) as building:
        (building / "file").write_text("old")
    with pytest.raises(ZeroDivisionError), cache.publishing(target) as building:
        (building / "file").write_text(f"half {1 / 0}")
    assert (target / "file").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir() if "building" in path.name] == []


def test_a_rebuild_replaces_the_old_one(tmp_path: Path) -> None:
    target = tmp_path / "image"
    for text in ("old", "new"):
        with cache.publishing(target) as building:
            (building / text).write_text(text)
    assert [path.name for path in target.iterdir()] == ["new"]


def test_a_killed_build_leaves_nothing_half_made_and_is_swept_by_the_next(tmp_path: Path) -> None:
    target = tmp_path / "image"
    script = (
        "import os, signal, sys; from pathlib import Path\n"
        "from cnbench.lab.guest.build import cache\n"
        "with cache.publishing(Path(sys.argv[1])) as building:\n"
        "    (building / 'file').write_text('half')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run([sys.executable, "-c", script, str(target)])
    assert killed.returncode == -signal.SIGKILL
    assert not target.exists()
    assert len(list(tmp_path.glob(".image.building-*"))) == 1
    with cache.publishing(target) as building:
        (building / "file").write_text("whole")
    assert list(tmp_path.glob(".image.building-*")) == []
    assert (target / "file").read_text() == "whole"


def test_read_only_folders_are_removed(tmp_path: Path) -> None:
    inner = tmp_path / "tree" / "closed"
    inner.mkdir(parents=True)
    (inner / "file").touch()
    inner.chmod(0o500)
    cache.remove(tmp_path / "tree")
    assert not (tmp_path / "tree").exists()


def test_digests_are_of_contents(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"one")
    (tmp_path / "b").write_bytes(b"two")
    expected = hashlib.sha256(b"onetwo").hexdigest()
    assert cache.digest_of(tmp_path / "a", tmp_path / "b") == expected
    assert cache.text_digest("ab", "c") != cache.text_digest("a", "bc")


def test_only_what_was_not_used_for_long_is_forgotten(tmp_path: Path) -> None:
    for age, name in enumerate(("new", "recent", "old", "older")):
        (tmp_path / name).mkdir()
        hours = [0, 0.5, 2, 3][age]
        now = time.time()
        os.utime(tmp_path / name, (now, now - hours * 3600))
    (tmp_path / ".lock").touch()
    cache.used(tmp_path / "older")
    cache.forget_unused(tmp_path, kept=2)
    assert {path.name for path in tmp_path.iterdir()} == {"new", "recent", "older", ".lock"}


def test_a_folder_that_another_user_could_have_made_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if os.geteuid() != 0:
        pytest.skip("giving a folder away needs root")
    mine, foreign, shared, link = (tmp_path / name for name in ("mine", "foreign", "all", "link"))
    for folder in (mine, foreign, shared):
        folder.mkdir()
    os.chown(foreign, 65534, 65534)
    shared.chmod(0o775)
    link.symlink_to(mine)
    os.lchown(link, 65534, 65534)
    for folder, problem in (
        (foreign, "belongs to another user"),
        (link, "belongs to another user"),
        (shared, "others may write to it"),
    ):
        monkeypatch.setenv("CNBENCH_CACHE", str(folder))
        with pytest.raises(UnsupportedError, match=problem):
            cache.folder()
    monkeypatch.setenv("CNBENCH_CACHE", str(mine))
    assert cache.folder() == mine


def test_root_boots_what_was_built_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    image = tmp_path / "image"
    image.write_bytes(b"built")
    digest = cache.digest_of(image)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    cache.require_digest(digest, image)
    cache.require_digest.cache_clear()
    image.write_bytes(b"changed")
    with pytest.raises(UnsupportedError, match="has changed since it was built"):
        cache.require_digest(digest, image)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    cache.require_digest(digest, image)


def test_several_may_forget_at_once(tmp_path: Path) -> None:
    for number in range(200):
        piece = tmp_path / f"piece-{number}"
        piece.mkdir()
        (piece / "disk").touch()
        os.utime(piece, (0, 0))
    at_once = threading.Barrier(4)

    def forget(_: int) -> None:
        at_once.wait()
        cache.forget_unused(tmp_path, kept=0)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(forget, range(4)))
    assert list(tmp_path.iterdir()) == []
