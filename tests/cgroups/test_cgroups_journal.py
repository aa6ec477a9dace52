"""Whatever outlives a process is in the journal before it is made, and gone before the journal is.

The kill tests kill at moments that chance picks. Here each moment that matters is looked at: Python
tells of every folder that is made and every file that is removed before it does so (PEP 578).
"""

import contextlib
import json
import os
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from cnbench.core.errors import UnsupportedError
from cnbench.experiments.registry import all_experiments
from cnbench.lab import libc
from cnbench.lab.host import open_lab
from cnbench.lab.journal import collect
from cnbench.lab.resources import Resource, is_out_of_sight

pytestmark = pytest.mark.real

CASES = [
    (name, version)
    for name in all_experiments()
    if name.startswith("cgroup-")
    for version in ("v1", "v2")
]
_listeners = []


def _hear(event, arguments):
    for listener in _listeners:
        listener(event, arguments)


sys.addaudithook(_hear)


@contextlib.contextmanager
def listening(listener):
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


@pytest.fixture
def tree():
    """A cgroup tree in which a folder can be made."""
    if os.geteuid() != 0:
        pytest.skip("cgroups need root")
    for line in Path("/proc/mounts").read_text().splitlines():
        _, where, kind, *_ = line.split()
        if kind.startswith("cgroup") and os.access(where, os.W_OK):
            return Path(where)
    pytest.skip("no cgroup tree is mounted")


def groups_of(run):
    return [folder for folder, _, _ in os.walk("/sys/fs/cgroup") if f"cnbench-{run}" in folder]


class Watchman:
    """Notes every group and mount that no line of a journal names yet, and every early farewell."""

    def __init__(self, journals):
        self.journals = journals
        self.made = []
        self.unannounced = []
        self.early = []

    def __call__(self, event, arguments):
        if event == "os.mkdir" and "/cgroup/" in str(arguments[0]):
            self.announced(str(arguments[0]))
        if event == "os.remove" and str(arguments[0]).endswith(".jsonl"):
            self.early += groups_of(Path(arguments[0]).stem)

    def announced(self, path):
        self.made.append(path)
        text = "".join(journal.read_text() for journal in self.journals.glob("*.jsonl"))
        if not any(
            f'"{known}' in text for known in (f'{path}"', f"{path} ", f'{Path(path).parent}"')
        ):
            self.unannounced.append(path)


@pytest.mark.parametrize(("name", "version"), CASES)
def test_a_group_is_written_down_before_it_is_made_and_until_it_is_gone(
    tmp_path, monkeypatch, name, version
):
    if os.geteuid() != 0:
        pytest.skip("cgroups need root")
    experiment = all_experiments()[name]
    point = experiment.grid(False, {"controller": (version,)})[-1]
    watchman = Watchman(tmp_path)
    mount = libc.mount
    monkeypatch.setattr(libc, "mount", lambda *args: watchman.announced(args[1]) or mount(*args))
    with listening(watchman), open_lab("host", "wall", tmp_path) as lab, lab.fresh_fixtures():
        try:
            experiment.require(point, lab)
        except UnsupportedError as error:
            pytest.skip(f"{error}; {error.remedy}")
        with experiment.subject(point, lab) as subject:
            subject.sample()
    assert watchman.made
    assert (watchman.unannounced, watchman.early) == ([], [])


def test_a_group_made_beforehand_is_noticed(tmp_path):
    watchman = Watchman(tmp_path)
    (tmp_path / "run.jsonl").write_text('{"made": {"kind": "cgroup", "what": "/cgroup/known"}}\n')
    for path in ("/cgroup/known", "/cgroup/known/below", "/cgroup/unknown"):
        watchman("os.mkdir", (path, 0, -1))
    assert watchman.unannounced == ["/cgroup/unknown"]


def test_a_group_that_outlives_its_journal_is_noticed(tmp_path, tree):
    run = uuid.uuid4().hex[:12]
    folder = tree / f"cnbench-{run}"
    folder.mkdir()
    try:
        watchman = Watchman(tmp_path)
        watchman("os.remove", (tmp_path / f"{run}.jsonl", -1))
    finally:
        folder.rmdir()
    assert watchman.early == [str(folder)]


def test_a_group_that_gc_cannot_see_stays_written_down(tmp_path, tree):
    """As in a container with the host's journals, and another mount where its groups are."""
    run = uuid.uuid4().hex[:12]
    folder = tree / f"cnbench-{run}"
    journal = tmp_path / f"{run}.jsonl"
    journal.write_text(json.dumps({"made": {"kind": "cgroup", "what": str(folder)}}) + "\n")
    folder.mkdir()
    gc = (
        "import pathlib; from cnbench.lab.journal import collect;"
        f"print(collect(pathlib.Path({str(tmp_path)!r})))"
    )
    hidden = ["unshare", "--mount", "--propagation", "private", "sh", "-c",
              f'mount -t tmpfs none {tree} && exec "$@"', "sh"]  # fmt: skip
    try:
        seen = subprocess.run([*hidden, sys.executable, "-c", gc], capture_output=True, text=True)
        assert "cannot be seen from here" in seen.stdout, seen.stderr
        assert (folder.exists(), journal.exists()) == (True, True)
        assert collect(tmp_path)[1] == []
        assert (folder.exists(), journal.exists()) == (False, False)
    finally:
        with contextlib.suppress(OSError):
            folder.rmdir()


@pytest.mark.parametrize(
    ("mounts", "hidden"),
    [
        ("c /sys/fs/cgroup/devices cgroup rw,devices 0 0\n", False),
        ("c /sys/fs/cgroup cgroup2 rw 0 0\n", False),
        ("none /sys/fs/cgroup tmpfs rw 0 0\n", True),
        ("c /sys/fs/cgroup/devices cgroup rw 0 0\nn /sys/fs/cgroup/devices tmpfs rw 0 0\n", True),
        ("", True),
    ],
)
def test_what_is_mounted_last_is_seen(mounts, hidden):
    group = Resource("cgroup", "/sys/fs/cgroup/devices/cnbench-0123456789ab")
    assert is_out_of_sight(group, mounts) == hidden
    assert not is_out_of_sight(Resource("cgroup", "/tmp/cnbench-0123456789ab/v1/x"), mounts)
