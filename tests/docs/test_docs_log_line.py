"""The experiment of the documentation: it measures on this machine, and its proof rings."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from types import ModuleType

import pytest

from cnbench.core.parameter import Point
from cnbench.experiments import registry
from cnbench.lab.host import open_lab

FILE = Path(__file__).resolve().parents[2] / "docs/examples/log_line.py"


@pytest.fixture(scope="module")
def log_line() -> ModuleType:
    found = importlib.util.spec_from_file_location("log_line", FILE)
    assert found
    assert found.loader
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def test_it_is_as_short_as_its_page_says() -> None:
    assert len(FILE.read_text().splitlines()) <= 60
    assert "log-line" not in registry.names()  # until somebody lays it beside the others


@pytest.mark.parametrize("sink", ["pipe", "terminal", "file"])
def test_each_sink_is_measured_and_proven(log_line: ModuleType, sink: str, tmp_path: Path) -> None:
    with (
        open_lab("host", "wall", tmp_path) as lab,
        log_line.EXPERIMENT.subject(Point({"sink": sink}), lab) as subject,
    ):
        assert [subject.sample()["cost"] > 0 for _ in range(8)] == [True] * 8
        assert subject.proof().holds, subject.proof()


def test_lines_that_go_astray_are_told(log_line: ModuleType, tmp_path: Path) -> None:
    with (
        open_lab("host", "wall", tmp_path) as lab,
        log_line.EXPERIMENT.subject(Point({"sink": "file"}), lab) as subject,
    ):
        subject.sample()
        os.lseek(subject.reading, 80, os.SEEK_CUR)  # past a line that is not there yet
        subject.sample()
        assert [check.claim for check in subject.proof().broken] == ["lines"]


def test_another_sink_than_was_asked_for_is_told(log_line: ModuleType, tmp_path: Path) -> None:
    with (
        open_lab("host", "wall", tmp_path) as lab,
        log_line.EXPERIMENT.subject(Point({"sink": "file"}), lab) as subject,
    ):
        subject.sink = "pipe"
        subject.sample()
        assert [check.claim for check in subject.proof().broken] == ["sink"]
