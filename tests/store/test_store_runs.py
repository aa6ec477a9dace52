import dataclasses
import os

import made_up
import pandas as pd
import pytest

import cnbench
from cnbench.core.errors import UsageError
from cnbench.core.fingerprint import Fingerprint
from cnbench.measuring.events import Captured, CaseEnded, EnvironmentFound
from cnbench.store import run_file
from cnbench.store.captures import CaptureFolder
from cnbench.store.recorder import Recorder
from cnbench.store.repeats import has_repeat
from cnbench.store.runs import all_runs, find_run, results_folder


@pytest.fixture
def folder(tmp_path):
    for day, name in ((3, "cccc"), (1, "aaaa"), (2, "bbbb")):
        identity = f"2026010{day}-000000-{name}"
        run = made_up.run(made_up.result([1.0, 2.0], twin=[1.5, 2.5]), identity=identity)
        run_file.write(run, tmp_path / f"{identity}.json")
    (tmp_path / ".20260109-000000-zzzz.json.tmp").write_text("{}")
    (tmp_path / ".20260109-000000-zzzz.json").write_text("{}")
    return tmp_path


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("latest", 3), ("latest~0", 3), ("latest~1", 2), ("latest~2", 1),
        ("20260102", 2), ("20260102-000000-bbbb", 2), ("20260101-0", 1),
    ],
)  # fmt: skip
def test_a_run_is_found_by_its_place_or_by_the_begin_of_its_id(folder, name, day):
    assert find_run(name, folder).name.startswith(f"2026010{day}")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("latest~3", "there is no latest~3: of 3 files 3 runs could be read"),
        ("2026", "'2026' begins the names of 3 runs"),
        ("latest~-1", "there is no run"),
        ("nonsense", "there is no run 'nonsense'"),
        ("../etc", "there is no run"),
    ],
)
def test_a_name_that_names_no_run_is_refused(folder, name, words):
    with pytest.raises(UsageError, match=words) as refusal:
        find_run(name, folder)
    assert "\n" not in str(refusal.value) + refusal.value.remedy


def test_a_folder_without_runs_says_how_to_get_one(tmp_path):
    with pytest.raises(UsageError, match="there are no runs in") as refusal:
        find_run("latest", tmp_path / "never made")
    assert "cnbench run" in refusal.value.remedy


def test_a_file_is_a_name(folder, tmp_path):
    path = folder / "20260102-000000-bbbb.json"
    assert find_run(str(path), tmp_path / "elsewhere") == path


def test_the_results_folder_can_be_elsewhere(monkeypatch, tmp_path):
    monkeypatch.delenv("CNBENCH_RESULTS", raising=False)
    assert str(results_folder()) == "results/runs"
    monkeypatch.setenv("CNBENCH_RESULTS", str(tmp_path))
    assert results_folder() == tmp_path


def test_a_frame_has_a_row_for_every_sample(folder):
    frame = cnbench.load(folder).frame()
    assert len(frame) == 3 * 4
    assert list(frame["run"].unique()) == sorted(frame["run"].unique())  # oldest first
    assert frame.groupby("twin").size().to_dict() == {False: 6, True: 6}
    first = frame.iloc[0].to_dict()
    assert first == {
        "run": "20260101-000000-aaaa", "experiment": "made-up", "lab": "host", "clock": "wall",
        "kernel": "6.1.0", "status": "ok", "node": "", "param.mode": "a", "param.size": 1,
        "twin": False, "block": 0, "turn": 0, "setup": -1, "repeat": 0, "started": 0.0,
        "duration": 1.0, "replaced": False, "disturbed": False, "witness.steal": 0.0, "cost": 1.0,
    }  # fmt: skip
    assert frame["cost"].dtype == float


def test_what_a_row_does_not_have_is_missing(tmp_path):
    runs = (
        made_up.run(made_up.result([1.0]), identity="1"),
        made_up.run(made_up.result([0.1], metric="error"), identity="2", metrics=(made_up.ERROR,)),
    )
    for run in runs:
        run_file.write(run, tmp_path / f"{run.id}.json")
    frame = cnbench.load(str(tmp_path)).frame()
    assert pd.isna(frame.iloc[1]["cost"])
    assert pd.isna(frame.iloc[0]["error"])


def test_one_file_can_be_loaded_and_a_bad_one_is_named(folder):
    path = folder / "20260102-000000-bbbb.json"
    assert [run.id for run in cnbench.load(path).runs] == [path.stem]
    path.write_text("{")
    with pytest.raises(UsageError, match=path.name):
        cnbench.load(path)
    with pytest.warns(UserWarning, match=f"passed over: .*{path.name} is not a cnbench run file"):
        left = cnbench.load(folder)
    assert path.stem not in [run.id for run in left.runs]
    assert len(left.runs) == len(all_runs(folder)) - 1
    (folder / "empty").mkdir()
    with pytest.raises(UsageError, match="there are no run files in"):
        cnbench.load(folder / "empty")
    with pytest.raises(UsageError, match="cannot be read"):
        cnbench.load(folder / "missing.json")


@pytest.fixture
def recorder(tmp_path):
    return Recorder(made_up.run(), tmp_path / "run.json")


def test_a_run_file_is_written_after_every_case(recorder):
    recorder.listen(EnvironmentFound(made_up.HERE))
    for count, mode in enumerate("ab", start=1):
        recorder.listen(CaseEnded(made_up.result([1.0], mode)))
        assert len(run_file.read(recorder.path).cases) == count
    recorder.finish(complete=True)
    assert run_file.read(recorder.path).finished


def test_a_case_told_twice_is_one(recorder):
    for value in (1.0, 2.0):
        recorder.listen(CaseEnded(made_up.result([value])))
    (case,) = recorder.run.cases
    assert case.samples[0].values == {"cost": 2.0}


def test_a_whole_case_is_not_replaced_by_an_interrupted_one(recorder):
    recorder.listen(CaseEnded(made_up.result([1.0, 1.0])))
    recorder.listen(CaseEnded(made_up.result([2.0], stopped="interrupted")))
    (case,) = recorder.run.cases
    assert len(case.samples) == 2
    failed = made_up.result([], status="failed", reason="it was interrupted before a sample")
    recorder.listen(CaseEnded(dataclasses.replace(failed, stopped="interrupted")))
    assert recorder.run.cases == [case]


def test_a_file_that_cannot_be_written_stops_no_measurement_and_loses_nothing(
    tmp_path, monkeypatch
):
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    blocked = tmp_path / "file"
    blocked.write_text("")
    recorder = Recorder(made_up.run(), blocked / "run.json")
    recorder.listen(CaseEnded(made_up.result([1.0])))
    assert recorder.problem is not None
    with pytest.raises(UsageError, match="the whole run is in") as refusal:
        recorder.finish(complete=True)
    assert "\n" not in str(refusal.value)
    refuge = tmp_path / f"cnbench-run-{recorder.run.id}.jsonl"
    assert str(refuge) in str(refusal.value)
    assert len(run_file.read(refuge).cases) == 1


def test_a_problem_that_passed_is_forgotten(tmp_path):
    blocked = tmp_path / "results"
    blocked.write_text("")
    recorder = Recorder(made_up.run(), blocked / "run.json")
    recorder.listen(CaseEnded(made_up.result([1.0], "a")))
    blocked.unlink()
    recorder.listen(CaseEnded(made_up.result([1.0], "b")))
    assert recorder.problem is None
    assert len(run_file.read(recorder.path).cases) == 2


def test_a_resumed_run_goes_on_in_its_own_environment_alone(recorder):
    other = dataclasses.replace(made_up.HERE, kernel="6.2.0")
    with pytest.raises(
        Exception, match=r"begun with kernel = 6\.1\.0, and now it is 6\.2\.0"
    ) as refusal:
        recorder.listen(EnvironmentFound(other))
    assert refusal.value.exit_code == 4
    guest = dataclasses.replace(other, lab="guest")
    recorder.listen(EnvironmentFound(guest))
    assert isinstance(recorder.run.fingerprints[guest.digest], Fingerprint)


def test_what_need_not_be_measured_again():
    done = made_up.result([1.0], "a", 1)
    unsupported = made_up.result([], "b", 1, status="unsupported")
    failed = made_up.result([], "a", 2, status="failed")
    cut = made_up.result([1.0], "b", 2, stopped="interrupted")
    results = (done, unsupported, failed, cut)
    assert [one for one in results if has_repeat(one, 0)] == [done, unsupported]
    assert [one for one in results if has_repeat(one, 1)] == [unsupported]


def test_the_latest_is_the_latest_that_can_be_read(folder):
    good = find_run("latest", folder)
    (folder / "20990101-000000-aaaa.json").write_text("{")
    (folder / "20990102-000000-aaaa.json").write_text('{"format": "another", "schema": 1}')
    os.mkfifo(folder / "20990103-000000-aaaa.json")
    (folder / "20990104-000000-aaaa.json").mkdir()
    with pytest.warns(UserWarning, match="passed over: ") as warned:
        assert find_run("latest", folder) == good
    assert len(warned) == 2
    with pytest.warns(UserWarning, match="passed over: "):
        assert find_run("latest~1", folder) == all_runs(folder)[-4]


def test_captures_are_put_into_no_folder_that_another_could_have_made(tmp_path):
    elsewhere, link = tmp_path / "elsewhere", tmp_path / "run.captures"
    elsewhere.mkdir()
    link.symlink_to(elsewhere)
    with pytest.raises(UsageError, match="it is a link, not a folder"):
        CaptureFolder(link).listen(Captured(made_up.result([1.0]).case, ""))
    assert list(elsewhere.iterdir()) == []
