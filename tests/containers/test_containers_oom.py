"""oom-notice on the real kernel, and the kernel's reports as they are put together."""

import os

import pytest
from subjects import subject_at

from cnbench.core.errors import CnbenchError, UnsupportedError
from cnbench.experiments.oom_notice import EXPERIMENT
from cnbench.experiments.oom_notice import ways as ways_of
from cnbench.experiments.oom_notice.grid import nonsense
from cnbench.lab.kernel_log import OomReports, open_kernel_log

FIRST = "4,1,2,-;python3 invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0"
GROUP = (
    "6,2,2,-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,"
    "oom_memcg=/cnbench-1/group-1,task_memcg=/cnbench-1/group-1,task=python3,pid=7,uid=0"
)
LAST = "3,3,2,-;Memory cgroup out of memory: Killed process 7 (python3) total-vm:1kB"


def groups(*lines):
    reports = OomReports()
    return [group for line in lines if (group := reports.take(line))]


def test_a_report_is_told_by_its_last_line_and_not_before():
    assert groups(FIRST, "6,1,2,-;Tasks state", GROUP) == []
    assert groups(FIRST, GROUP, LAST) == ["/cnbench-1/group-1"]
    assert groups(FIRST, GROUP, LAST, FIRST, GROUP, LAST) == ["/cnbench-1/group-1"] * 2


def test_a_kill_that_the_kernel_reports_in_one_line_is_passed_over_as_cadvisor_does():
    assert groups(LAST) == []
    assert groups(FIRST, GROUP, LAST, LAST) == ["/cnbench-1/group-1"]


@pytest.mark.real
class TestNotices:
    @pytest.fixture
    def opened(self, shared_lab):
        def open_one(**changes):
            point = EXPERIMENT.grid(False, {"way": ("cgroup",)})[0] | changes
            assert nonsense(point) == ""
            return subject_at(EXPERIMENT, point, shared_lab)

        return open_one

    @pytest.mark.parametrize("way", ["cgroup", "kernel-log", "containerd"])
    def test_a_kill_is_told_every_way(self, opened, way):
        with opened(way=way) as subject:
            values = [subject.sample() for _ in range(2)]
            assert subject.proof().holds, subject.proof().broken
        for each in values:
            assert each["notice"] > 0
            assert each["lost"] == 0

    def test_kills_that_nobody_told_of_are_counted(self, opened):
        with opened(way="cgroup", burst=4) as subject:
            more = subject.way.more
            subject.way.more = lambda: more() - 2
            assert subject.sample()["lost"] == 0.5

    def test_a_burst_is_more_than_the_kernels_log_tells_in_full(self, opened):
        with opened(way="kernel-log", burst=25) as subject:
            assert subject.sample()["lost"] >= 0.4

    def test_a_kill_that_nobody_tells_of_is_an_error(self, opened, monkeypatch):
        monkeypatch.setattr(ways_of, "_PATIENCE", 0.1)
        with opened(way="kernel-log") as subject:
            subject.way.log.group = "another"
            with pytest.raises(CnbenchError, match="did not tell of the kill"):
                subject.sample()

    def test_a_process_that_died_of_something_else_is_no_proof(self, opened):
        with opened(way="cgroup") as subject:
            subject.sample()
            subject.killed += 1
            assert "processes killed" in subject.proof().broken[0].claim

    def test_a_log_that_may_not_be_read_is_unsupported(self, monkeypatch):
        monkeypatch.setattr(os, "open", lambda *_: (_ for _ in ()).throw(PermissionError(13, "no")))
        with pytest.raises(UnsupportedError, match="/dev/kmsg"), open_kernel_log("nobody"):
            pass
