"""kubelet-stats against a real containerd, and the files of made-up cgroups."""

import pytest
from subjects import subject_at

from cnbench.containers import statistics
from cnbench.experiments.kubelet_stats import CRI, EXPERIMENT, FILES


@pytest.fixture
def opened(shared_lab):
    """How to open a subject of two pods."""

    def open_one(way):
        point = EXPERIMENT.grid(False, {"way": (way,), "pods": (2,)})[0]
        return subject_at(EXPERIMENT, point, shared_lab)

    return open_one


@pytest.mark.real
@pytest.mark.parametrize("way", [CRI, FILES])
def test_statistics_are_read_either_way(opened, way):
    with opened(way) as subject:
        values = [subject.sample() for _ in range(2)][-1]
        assert subject.proof().holds, subject.proof().broken
    for metric, value in values.items():
        EXPERIMENT.metric(metric).check(value)
        assert value > 0
    assert ("files" in values) == (way == FILES)
    assert values["one"] == pytest.approx(values["read"] / 2)


@pytest.mark.real
def test_a_container_that_was_not_expected_is_no_proof(opened):
    with opened(CRI) as subject:
        other = subject.node.pods.start()
        subject.sample()
        subject.node.pods.stop(other)
        told = [check.claim for check in subject.proof().broken]
    assert any("statistics of" in claim for claim in told)


@pytest.mark.real
def test_figures_of_another_group_are_no_proof(opened):
    with opened(FILES) as subject:
        first, second = subject.groups
        subject.groups = {first: subject.groups[second], second: subject.groups[second]}
        subject.sample()
        assert [check.claim for check in subject.proof().broken] == [
            "the same CPU time by the runtime and by files"
        ]


def test_files_that_a_group_has_are_read_whole(tmp_path):
    (tmp_path / "cpu.stat").write_text("usage_usec 12\nuser_usec 4\n")
    (tmp_path / "memory.current").write_text("4096\n")
    (tmp_path / "memory.pressure").write_text("not asked for\n")
    files = statistics.files_of([tmp_path])
    assert {file.rpartition("/")[2] for file in files} == {"cpu.stat", "memory.current"}
    assert statistics.read_all(files) == len("usage_usec 12\nuser_usec 4\n4096\n")


def test_a_groups_account_of_cpu_time_is_found_on_either_version(tmp_path):
    v1, v2 = tmp_path / "v1", tmp_path / "v2"
    for folder, name, text in (
        (v1, "cpuacct.usage", "1234\n"),
        (v2, "cpu.stat", "usage_usec 12\nuser_usec 4\n"),
    ):
        folder.mkdir()
        (folder / name).write_text(text)
    assert statistics.cpu_time([v1]) == 1234
    assert statistics.cpu_time([v2]) == 12_000
