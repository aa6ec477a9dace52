"""Whatever the sampler can produce, the recorder keeps, the reader reads and the tables show."""

import json

import made_up
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scripted import Script, Stage

from cnbench.analysis.rows import rows_of
from cnbench.core.errors import CnbenchError, CommandError, UnsupportedError
from cnbench.core.proof import Check, Proof
from cnbench.core.run import CaseResult
from cnbench.measuring.events import CaseEnded
from cnbench.store import run_file
from cnbench.store.recorder import Recorder

MOMENTS = ["set-up", "sample 0", "sample 1", "sample 2", "sample 3", "proof", "take-down"]
texts = st.one_of(st.text(max_size=20), st.just("\udcff\x1b[31m"))
errors = st.one_of(
    texts.map(CnbenchError),
    texts.map(UnsupportedError),
    texts.map(lambda text: CommandError(["nft", text], 1, text)),
    texts.map(lambda text: OSError(28, text)),
    st.just(ZeroDivisionError("division by zero")),
    st.just(KeyboardInterrupt()),
)
proofs = st.one_of(
    st.just(made_up.PROVEN),
    st.just(Proof()),
    st.builds(lambda *parts: Proof((Check(*parts),)), texts, texts, texts, st.booleans()),
)
values = st.one_of(st.floats(), st.integers(), st.sampled_from([1.0, 1e308, 5e-324]))
scripts = st.builds(
    lambda value, metric, proof, fails: Script(
        value=lambda turn: value * (1 + turn % 2), metric=metric, proof=proof, fails=fails
    ),
    values,
    st.sampled_from(["cost", "error", "unknown"]),
    proofs,
    st.dictionaries(st.sampled_from(MOMENTS), errors, max_size=2),
)


@settings(max_examples=150, suppress_health_check=list(HealthCheck))
@given(st.fixed_dictionaries({"a": scripts, "b": scripts, "a′": scripts}))
def test_whatever_happens_to_a_group_its_file_is_read_and_shown(tmp_path_factory, cast):
    path = tmp_path_factory.mktemp("readable") / "run.json"
    cast["a′"].metric = cast["a"].metric  # it is the same subject once more
    stage = Stage(cast)
    recorder = Recorder(made_up.run(metrics=(made_up.COST, made_up.ERROR)), path)
    try:
        outcome = stage.run(budget=4, hard=True, most_blocks=3)
    except KeyboardInterrupt:
        return
    for result in outcome.results:
        recorder.listen(CaseEnded(result))
    recorder.finish(complete=True)
    assert len(run_file.read(path).cases) == 2
    rows = rows_of(run_file.read(path))
    json.dumps([row.as_json() for row in rows], allow_nan=False)


def test_a_case_that_failed_before_its_first_sample_has_no_twin(tmp_path):
    stage = Stage({"a": Script(fails={"sample 0": CnbenchError("its server was killed")}),
                   "a′": Script(), "b": Script()})  # fmt: skip
    failed = stage.run(most_blocks=3).results[0]
    assert (failed.status, failed.samples, failed.twin) == ("failed", (), ())


def test_a_file_that_has_such_a_twin_all_the_same_is_read(tmp_path):
    path = tmp_path / "run.json"
    run = made_up.run(made_up.result([], twin=[1.0, 2.0], status="failed", reason="it broke"))
    run_file.write(run, path)
    assert len(run_file.read(path).cases[0].twin) == 2
    assert rows_of(run_file.read(path))


@pytest.mark.parametrize(
    "result",
    [
        made_up.result([float("nan")]),
        made_up.result([1e308]),
        made_up.result([1.0], metric="unheard of"),
        made_up.result([1.0], status="failed", reason="\udcff"),
    ],
    ids=["no number", "too large", "unknown", "no text"],
)
def test_what_no_reader_would_take_is_a_failed_case(tmp_path, result):
    path = tmp_path / "run.json"
    recorder = Recorder(made_up.run(), path)
    recorder.listen(CaseEnded(made_up.result([1.0], "b")))
    recorder.listen(CaseEnded(result))
    bad: CaseResult
    good, bad = run_file.read(path).cases
    assert good.status == "ok"
    assert bad.status == "failed"
    assert "what it gave cannot be kept" in bad.reason
