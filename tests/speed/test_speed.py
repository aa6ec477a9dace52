"""``make speed``: two builds in turn, what is told of them, and that a missed target is noticed."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

from speed.row import Figure, Row  # noqa: E402
from speed.rows import all_rows  # noqa: E402
from speed.sides import Side  # noqa: E402
from speed.table import Measured, as_markdown, limits_of, lines_of  # noqa: E402

BEFORE, NOW = (Side(name, Path(sys.executable), name == "before") for name in ("before", "now"))


def measured(before, after, target):
    row = Row("one", "one thing", (Figure("time", "s", target),), lambda side, folder: {})
    return Measured(row, [{"time": b} for b in before], [{"time": a} for a in after])


def test_a_target_is_held_or_missed():
    held, missed = measured([3.0] * 7, [1.0] * 7, 0.5), measured([3.0] * 7, [2.0] * 7, 0.5)
    assert (held.missed, missed.missed) == ([], ["time"])
    assert next(lines_of(held)).endswith("| 0.333 (0.333 – 0.333) | 7 | 1/2 | yes |")
    assert next(lines_of(missed)).endswith("| 7 | 1/2 | no |")


def test_what_stands_in_the_way_is_told_where_a_target_is_missed():
    held, missed = measured([2.0] * 6, [1.0] * 6, 1 / 2), measured([2.0] * 6, [1.5] * 6, 1 / 2)
    limited = [replace(one, row=replace(one.row, limit="physics")) for one in (held, missed)]
    assert limits_of(limited)[3:] == ["- one thing: physics"]
    assert limits_of([held, missed, limited[0]]) == []


def test_too_few_rounds_have_no_interval():
    once = measured([3.0], [1.0], None)
    assert next(lines_of(once)) == "| one thing | time | 3 s | 1 s | 0.333 | 1 |  |  |"
    assert "1/2" not in as_markdown([once], BEFORE, NOW)


@pytest.mark.parametrize("reduced", [True, False])
def test_every_row_has_a_name_of_its_own(reduced):
    names = [row.name for row in all_rows(reduced=reduced)]
    assert len(set(names)) == len(names) > 10


@pytest.mark.slow
def test_it_runs_whole_beside_a_build(tmp_path):
    page = tmp_path / "speed.md"
    done = subprocess.run(
        [sys.executable, ROOT / "scripts/speed", ROOT, "--reduced", "--write", page,
         "--only", "file,show-small,save-50,scheduler-new"],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "| a sample in a run file | bytes |" in page.read_text()
    assert "| `show`, 3,000 samples | CPU time |" in done.stdout


def test_a_row_that_is_not_there_is_told():
    done = subprocess.run(
        [sys.executable, ROOT / "scripts/speed", ROOT, "--only", "shw"],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 1
    assert "there is no row shw; there are" in done.stderr
