import made_up
import pytest

from cnbench.core.errors import UsageError
from cnbench.store import baselines, run_file
from cnbench.store.runs import all_baselines, find_run


@pytest.fixture
def runs(tmp_path, monkeypatch):
    monkeypatch.setenv("CNBENCH_RESULTS", str(tmp_path / "runs"))
    files = []
    for name in ("20260101-000000-aaaa", "20260102-000000-bbbb"):
        files.append(tmp_path / "runs" / f"{name}.json")
        run_file.write(made_up.run(made_up.result([1.0, 2.0]), identity=name), files[-1])
    return files


def test_a_baseline_is_a_run_wherever_one_is_named(runs):
    source, place = baselines.save("main", "latest~1")
    assert source == runs[0]
    assert find_run("main") == place
    assert run_file.read(find_run("main")).id == "20260101-000000-aaaa"


def test_it_stays_when_its_run_is_gone_and_is_replaced_by_another(runs):
    baselines.save("main", "latest~1")
    runs[0].unlink()
    assert run_file.read(find_run("main")).id == "20260101-000000-aaaa"
    baselines.save("main", "latest")
    assert run_file.read(find_run("main")).id == "20260102-000000-bbbb"
    assert [file.stem for file in all_baselines()] == ["main"]


def test_what_is_removed_is_the_baseline_alone(runs, tmp_path):
    baselines.save("main", "latest")
    baselines.save("v1.2", "latest")
    baselines.remove("main")
    assert [file.stem for file in all_baselines()] == ["v1.2"]
    assert all(run.is_file() for run in runs)
    with pytest.raises(UsageError, match="no baseline 'main'") as refusal:
        baselines.remove("main")
    assert "v1.2" in refusal.value.remedy


@pytest.mark.parametrize(
    "name", ["../main", "a/b", ".hidden", "", "latest", "a.jsonl", "-f", "a\n"]
)
def test_a_name_that_would_be_a_path_or_mean_another_run_is_refused(runs, name):
    with pytest.raises(UsageError, match="cannot be a baseline's name"):
        baselines.save(name, "latest")
    assert not list(all_baselines())


@pytest.mark.parametrize("name", ["../runs/20260101-000000-aaaa", "x/../y"])
def test_removing_leaves_the_folder_of_baselines_never(runs, name):
    with pytest.raises(UsageError):
        baselines.remove(name)
    assert all(run.is_file() for run in runs)


def test_what_is_no_run_becomes_no_baseline(runs, tmp_path):
    (tmp_path / "else.json").write_text("{}")
    with pytest.raises(UsageError):
        baselines.save("main", str(tmp_path / "else.json"))
    assert not list(all_baselines())
