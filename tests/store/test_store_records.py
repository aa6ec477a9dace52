"""Run files as records: whole at any length, read where it is wanted, old ones read as ever."""

import base64
import dataclasses
import json
import math
import os
import random
import zlib
from pathlib import Path

import made_up
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnbench.analysis.rows import rows_of
from cnbench.core.errors import CnbenchError, UsageError
from cnbench.core.run import Sample
from cnbench.measuring.events import CaseEnded, EnvironmentFound
from cnbench.store import records, run_file, sources
from cnbench.store.columns import columns_of
from cnbench.store.packing import Packed, unpack
from cnbench.store.recorder import Recorder

GOLDEN = Path(__file__).parent / "golden"
RUN = made_up.run(
    made_up.result([1.0, 1.1], "a", twin=[1.0, 1.2]),
    made_up.result([2.0, 2.1], "b"),
)
TEXT = run_file.encoded(RUN)
HERE = Path("run.jsonl")


@pytest.mark.parametrize("name", ["schema-1.json", "schema-2.json", "schema-3.jsonl"])
def test_files_that_earlier_versions_wrote_are_read(name):
    run = run_file.read(GOLDEN / name)
    first, second, third = run.cases
    noted = name != "schema-1.json"
    assert (first.status, second.status, third.status) == ("ok", "failed", "unsupported")
    assert [s.values for s in first.samples] == [
        {"cost": 1.0, "error": 0.0}, {"cost": 1.5, "error": 0.001},
        {"cost": 1.25, "error": 0.002}, {"cost": 1.125, "error": 0.003},
    ]  # fmt: skip
    assert [s.values["cost"] for s in first.twin] == [1.1, 1.2, 1.3, 1.4]
    assert first.samples[1] == Sample(
        1, 1, {"cost": 1.5, "error": 0.001}, 0.5 + 0.123456789012345, 0.25,
        {"steal": 0.0, "run_delay": 0.01}, ("the sampler waited for a CPU 3.0% of the time",),
        replaced=True, setup=1 if noted else None,
    )  # fmt: skip
    assert first.samples[0].witness == {"steal": 0.125}
    assert [s.setup for s in first.samples] == ([0, 1, 2, 0] if noted else [None] * 4)
    assert [s.repeat for s in first.samples] == ([0, 0, 1, 1] if noted else [0] * 4)
    assert (second.reason, second.exit_status, second.stderr) == ("it broke", 3, "no such file")
    assert (third.samples, third.remedy) == ((), "take a guest")
    assert run.finished == "2026-01-01T00:01:00+00:00"
    assert run.fingerprints == {made_up.HERE.digest: made_up.HERE}
    assert run_file.decoded(run_file.encoded(run), HERE).cases == run.cases


def test_a_file_that_ends_anywhere_is_the_run_up_to_there():
    whole = [RUN.cases[:n] for n in range(3)]
    ends = [
        len(run_file.encoded(dataclasses.replace(RUN, cases=cases, finished=""))) for cases in whole
    ]
    begin = len(records.head_of(RUN))
    for length in range(begin, len(TEXT) + 1):
        cases = run_file.decoded(TEXT[:length], HERE).cases
        assert cases == whole[max(n for n, end in enumerate(ends) if end <= length or n == 0)]
    for length in range(0, begin - 1, 7):
        with pytest.raises(UsageError):
            run_file.decoded(TEXT[:length], HERE)


numbers = st.floats(1e-30, 1e30)
counts = st.integers(0, (1 << 31) - 1)


@st.composite
def results(draw):
    names = draw(st.lists(st.sampled_from(["cost", "other"]), min_size=1, unique=True))
    witness = st.dictionaries(st.sampled_from(["steal", "a b", "Ä"]), st.floats(-1e30, 1e30))
    sample = st.builds(
        Sample, counts, counts, st.fixed_dictionaries(dict.fromkeys(names, numbers)),
        numbers, numbers, witness, st.lists(st.text(), max_size=2).map(tuple), st.booleans(),
        st.none() | counts, counts,
    )  # fmt: skip
    several = st.lists(sample, max_size=5).map(tuple)
    return dataclasses.replace(made_up.result([]), samples=draw(several), twin=draw(several))


@given(results())
def test_every_sample_reads_back_as_it_was(result):
    other = dataclasses.replace(made_up.COST, name="other")
    run = made_up.run(result, metrics=(made_up.COST, other))
    (found,) = run_file.decoded(run_file.encoded(run), HERE).cases
    assert (found.samples, found.twin) == (result.samples, result.twin)
    record = run.experiments["made-up"]
    assert run_file.kept(result, record).samples == result.samples


class Watched:
    """A source that tells what was read of it."""

    def __init__(self, text):
        self.text, self.read_so_far = text, 0

    def read(self, at, size):
        self.read_so_far += size
        return self.text[at : at + size]


def test_a_table_reads_no_column_that_it_does_not_show(tmp_path, monkeypatch):
    other = dataclasses.replace(made_up.COST, name="other")
    some = random.Random(1).random
    samples = tuple(
        Sample(n, 0, {"cost": 1 + some(), "other": 1 + some()}, some(), some()) for n in range(99)
    )
    run = made_up.run(made_up.result([], samples=samples), metrics=(made_up.COST, other))
    text = run_file.encoded(run)
    watched = Watched(text)
    monkeypatch.setattr(run_file, "InMemory", lambda contents: watched)
    (case,) = run_file.decoded(text, HERE).cases
    assert (len(case.samples), watched.read_so_far) == (99, 0)
    columns_of(case.samples).values("other")
    assert 99 * 8 < watched.read_so_far < 99 * 8 * 1.5
    rows_of(run_file.decoded(text, HERE))
    before_all = watched.read_so_far
    columns_of(case.samples).check()
    assert watched.read_so_far - before_all > 99 * 8 * 4


def lines_with(change, at):
    lines = TEXT.splitlines(keepends=True)
    plain = json.loads(lines[at])
    change(plain)
    lines[at] = json.dumps(plain, separators=(",", ":")).encode() + b"\n"
    return b"".join(lines)


def column(name):
    table = json.loads(TEXT.splitlines()[2])["samples"]["columns"]
    return next(n for n, one in enumerate(table) if one["name"] == name)


ODD = {
    "a type it cannot be": (("columns", column("block"), "type"), "f8"),
    "a type of none": (("columns", column("block"), "type"), "u8"),
    "an unknown column": (("columns", column("started"), "name"), "colour"),
    "a column twice": (("columns", column("started"), "name"), "duration"),
    "a metric of none": (("columns", column("values.cost"), "name"), "values.other"),
    "no samples": (("count",), 0),
    "samples beyond all": (("count",), 1 << 40),
    "a length beyond all": (("columns", 0, "bytes"), 1 << 40),
}


@pytest.mark.parametrize("odd", ODD)
def test_records_that_explain_no_samples_are_damaged(odd):
    place, value = ODD[odd]

    def change(record):
        found = record["samples"]
        for name in place[:-1]:
            found = found[name]
        found[place[-1]] = value

    with pytest.raises(UsageError, match="is damaged: "):
        run_file.decoded(lines_with(change, 2), HERE)


@pytest.mark.parametrize(
    ("new", "words"),
    [
        (b'"AAA!', "Only base64 data is allowed"),
        (b'"AAAAAAAA8L+', "not positive"),
        (b'"AAAAAAAA8H+', "not a finite number"),
        (b"_AAAAAAAA8D+", "it is no line of text"),
    ],
)
def test_columns_that_are_damaged_are_found_when_they_are_read(new, words):
    good = b'"AAAAAAAA8D+'
    assert good in TEXT
    run = run_file.decoded(TEXT.replace(good, new.ljust(len(good), b"A")), HERE)
    samples = columns_of(run.cases[0].samples)
    with pytest.raises(UsageError, match=rf"run\.jsonl is damaged: values\.cost of .*{words}"):
        samples.check()


def test_a_column_that_grows_beyond_its_samples_is_refused():
    packed = Packed("f8", True, b'"' + base64.b64encode(zlib.compress(bytes(1 << 20))) + b'"\n')
    with pytest.raises(CnbenchError, match="has not the length"):
        unpack(packed, 7)


def test_a_file_replaced_while_it_is_read_is_not_mixed_with_the_new(tmp_path, monkeypatch):
    monkeypatch.setattr(run_file, "_SMALL", 0)
    path = tmp_path / "run.jsonl"
    run_file.write(RUN, path)
    run = run_file.read(path)
    assert run == RUN
    run_file.write(RUN, path)
    with pytest.raises(UsageError, match="was replaced while it was read"):
        list(run.cases[0].samples)
    path.unlink()
    with pytest.raises(UsageError, match="cannot be read any more: No such file"):
        list(run.cases[0].samples)
    assert sources.InMemory(b"abc").read(1, 5) == b"bc"


@pytest.fixture
def recorder(tmp_path):
    made = Recorder(made_up.run(), tmp_path / "run.jsonl")
    made.begin()
    made.listen(EnvironmentFound(made_up.HERE))
    return made


def test_a_case_is_appended_and_nothing_before_it_is_touched(recorder):
    before, inode = recorder.path.read_bytes(), recorder.path.stat().st_ino
    for mode in "ab":
        recorder.listen(CaseEnded(made_up.result([1.0], mode)))
        assert recorder.path.read_bytes().startswith(before)
        assert recorder.path.stat().st_ino == inode
        before = recorder.path.read_bytes()
    recorder.finish(complete=True)
    assert recorder.path.read_bytes().startswith(before)
    assert run_file.read(recorder.path) == recorder.run


def test_a_case_that_comes_again_is_once_in_the_finished_file(recorder):
    recorder.listen(CaseEnded(made_up.result([1.0])))
    recorder.repeat = 1
    recorder.listen(CaseEnded(made_up.result([2.0])))
    (case,) = run_file.read(recorder.path).cases
    assert [(s.repeat, s.values["cost"]) for s in case.samples] == [(0, 1.0), (1, 2.0)]
    assert recorder.path.read_bytes().count(b'{"result"') == 2
    recorder.finish(complete=True)
    assert recorder.path.read_bytes().count(b'{"result"') == 1
    assert run_file.read(recorder.path) == recorder.run


@pytest.mark.parametrize("harm", ["replaced", "removed", "written into"])
def test_a_file_that_is_not_ours_any_more_is_written_anew(recorder, harm, tmp_path):
    recorder.listen(CaseEnded(made_up.result([1.0], "a")))
    if harm == "removed":
        recorder.path.unlink()
    elif harm == "replaced":
        (tmp_path / "other").write_bytes(recorder.path.read_bytes())
        (tmp_path / "other").replace(recorder.path)
    else:
        with recorder.path.open("ab") as file:
            file.write(b'{"finish')
    recorder.listen(CaseEnded(made_up.result([1.0], "b")))
    assert len(run_file.read(recorder.path).cases) == 2
    assert recorder.problem is None


def test_what_a_full_disk_took_a_part_of_is_taken_back_and_written_later(recorder, monkeypatch):
    recorder.listen(CaseEnded(made_up.result([1.0], "a")))
    before, write = recorder.path.read_bytes(), os.write

    def short(descriptor, contents):
        if write(descriptor, contents[:40]):
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", short)
    recorder.listen(CaseEnded(made_up.result([1.0], "b")))
    monkeypatch.undo()
    assert "No space left" in str(recorder.problem)
    assert recorder.path.read_bytes() == before
    recorder.listen(CaseEnded(made_up.result([1.0], "a", 2)))
    assert recorder.problem is None
    assert len(run_file.read(recorder.path).cases) == 3


def test_what_no_column_can_hold_is_kept_by_none():
    record = made_up.run().experiments["made-up"]
    for sample in (
        Sample(1 << 31, 0, {"cost": 1.0}, 0.0, 1.0),
        Sample(0, 0, {"cost": 1.0}, math.nan, 1.0),
        Sample(0, 0, {"cost": "text"}, 0.0, 1.0),
        Sample("0", 0, {"cost": 1.0}, 0.0, 1.0),
    ):
        with pytest.raises(CnbenchError):
            run_file.kept(made_up.result([], samples=(sample,)), record)
