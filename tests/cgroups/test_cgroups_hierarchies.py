"""Which controllers are where, by what the kernel says."""

import pytest

from cnbench.core.errors import UnsupportedError
from cnbench.lab.cgroups import hierarchies
from cnbench.lab.cgroups.hierarchies import find, require

HEAD = "#subsys_name\thierarchy\tnum_cgroups\tenabled\n"


def rows(**where):
    return HEAD + "".join(f"{name}\t{number}\t1\t1\n" for name, number in where.items())


@pytest.fixture
def unified(tmp_path):
    """A v2 tree that has ``memory`` and ``io``, as a line of /proc/mounts."""
    (tmp_path / "cgroup.controllers").write_text("memory io\n")
    return f"none {tmp_path} cgroup2 rw 0 0\n"


def versions(controller, mounts, known):
    return [one.version for one in find(controller, mounts, known)]


def test_a_mounted_v1_controller_is_found_with_others_in_its_tree():
    found = find("cpuacct", "cg /cg/cpu cgroup rw,cpu,cpuacct 0 0\n", rows(cpuacct=3))
    assert [(one.version, str(one.root), one.name) for one in found] == [
        ("v1", "/cg/cpu", "cpuacct")
    ]


def test_v2_calls_blkio_io(unified):
    (found,) = find("blkio", unified, rows(blkio=0))
    assert (found.version, found.name) == ("v2", "io")


def test_what_v2_has_by_name_is_not_mounted_as_v1(unified):
    assert versions("memory", unified, rows(memory=0)) == ["v2"]


@pytest.mark.parametrize("controller", ["freezer", "devices", "cpuacct"])
def test_what_every_v2_group_has_can_be_mounted_as_v1_beside(unified, controller):
    assert versions(controller, unified, rows(**{controller: 0})) == ["v1", "v2"]


def test_perf_event_is_in_one_version_at_a_time(unified):
    assert versions("perf_event", unified, rows(perf_event=0)) == ["v2"]
    assert versions("perf_event", unified, rows(perf_event=7)) == []


def test_what_has_no_name_takes_another_controller_to_be_passed_on(unified):
    """For perf events alone: the others of no name are not asked of the group's own state."""
    (perf_event,) = find("perf_event", unified, rows(perf_event=0))
    (memory,) = find("memory", unified, rows(memory=0))
    (_, freezer) = find("freezer", unified, rows(freezer=0))
    passed = [hierarchies.name_to_pass_on(one) for one in (perf_event, memory, freezer)]
    assert passed == ["memory", "memory", ""]


@pytest.mark.parametrize("controller", ["net_cls", "net_prio"])
def test_v2_has_no_marks(unified, controller):
    assert versions(controller, unified, rows(**{controller: 0})) == ["v1"]


def test_a_tree_that_a_run_mounted_for_itself_is_mounted_once_more():
    (found,) = find("net_cls", "c /tmp/cnbench-0123456789ab/v1 cgroup rw,net_cls 0 0\n", rows())
    assert (found.version, found.root) == ("v1", None)


def test_a_disabled_controller_is_nowhere():
    assert find("memory", "", HEAD + "memory\t0\t1\t0\n") == []


def test_what_is_missing_is_told_with_where_it_is_instead(monkeypatch, unified):
    real = hierarchies.find
    monkeypatch.setattr(hierarchies, "find", lambda name: real(name, unified, rows(memory=0)))
    with pytest.raises(UnsupportedError, match=r"cgroup v1 has no memory.*it is on v2") as raised:
        require("memory", "v1")
    assert raised.value.remedy
