"""Frames: written to any format as they are, and grouped without losing rows."""

import made_up
import pandas as pd
import pytest

import cnbench
from cnbench.core.case import Case
from cnbench.core.run import ExperimentRecord
from cnbench.store import run_file


@pytest.fixture
def frame(tmp_path):
    """Two experiments: one parameter in both, as number and as text, and one in each alone."""
    run = made_up.run(made_up.result([1.0, 2.0], twin=[1.5, 2.5]), made_up.result([3.0], "b", 2))
    other = made_up.result([4.0], case=Case("other", {"size": "all", "ratio": 0.5}))
    run.cases.append(other)
    run.experiments["other"] = ExperimentRecord(
        "?", "size", (made_up.COST,), {"size": "", "ratio": "1"}
    )
    run_file.write(run, tmp_path / "1.jsonl")
    return cnbench.load(tmp_path).frame()


def test_every_column_has_one_type_and_no_row_is_lost_by_grouping(frame):
    params = [name for name in frame.columns if name.startswith("param.")]
    assert params == ["param.mode", "param.size", "param.ratio"]
    assert len(frame) == 6
    assert frame.groupby(["run", "experiment", "kernel", *params], observed=True).size().sum() == 6
    for name in params:
        assert set(map(type, frame[name])) == {str}
    assert list(frame["param.size"]) == ["1", "1", "1", "1", "2", "all"]
    assert list(frame["param.ratio"]) == [""] * 5 + ["0.5"]
    for name in ("run", "experiment", "lab", "clock", "kernel", "status", "param.mode"):
        assert isinstance(frame[name].dtype, pd.CategoricalDtype)


def test_runs_of_several_nodes_are_told_apart(tmp_path):
    for name in ("a", "b"):
        run = made_up.run(made_up.result([1.0, 2.0]), identity=name)
        run.node = f"node-{name}"
        run_file.write(run, tmp_path / f"{name}.jsonl")
    frame = cnbench.load(tmp_path).frame()
    assert frame.groupby("node", observed=True).size().to_dict() == {"node-a": 2, "node-b": 2}


def test_a_parameter_that_is_a_number_everywhere_is_one(tmp_path):
    run_file.write(made_up.run(made_up.result([1.0], size=7)), tmp_path / "1.jsonl")
    frame = cnbench.load(tmp_path / "1.jsonl").frame()
    assert frame["param.size"].dtype == "int64"
    assert frame["param.size"][0] == 7


@pytest.mark.parametrize("kind", ["parquet", "feather"])
def test_a_frame_is_written_as_it_is_and_comes_back(frame, tmp_path, kind):
    file = tmp_path / "frame"
    getattr(frame, f"to_{kind}")(file)
    back = getattr(pd, f"read_{kind}")(file)
    pd.testing.assert_frame_equal(back, frame, check_categorical=False)


def test_a_run_without_samples_is_a_frame_without_rows(tmp_path):
    run_file.write(made_up.run(), tmp_path / "1.jsonl")
    assert len(cnbench.load(tmp_path).frame()) == 0


def test_a_damaged_run_among_others_is_left_out_with_a_warning(tmp_path):
    run_file.write(made_up.run(made_up.result([1.0]), identity="1"), tmp_path / "1.jsonl")
    run_file.write(made_up.run(made_up.result([1.0]), identity="2"), tmp_path / "2.jsonl")
    bad = tmp_path / "2.jsonl"
    bad.write_bytes(bad.read_bytes().replace(b'"AAAAAAAA8D8="', b'"AAAAAAAA8L8="'))
    with pytest.warns(UserWarning, match=r"left out: .*2\.jsonl is damaged: values\.cost"):
        frame = cnbench.load(tmp_path).frame()
    assert list(frame["run"]) == ["1"]
