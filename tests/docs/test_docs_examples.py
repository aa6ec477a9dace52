"""Every example of the documentation is tried: what only reads is carried out, the rest understood.

Commands that measure are read by the command line itself and must have cases; the few lines of
Python run as they are, with seconds of sampling instead of minutes.
"""

from __future__ import annotations

import base64
import io
import json
import os
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import commands
import nbformat
import numpy
import pytest
from commands import ROOT, WrongError
from sybil import Document, Sybil
from sybil.parsers.markdown import CodeBlockParser, PythonCodeBlockParser

import cnbench
from cnbench import experiments
from cnbench.cli.main import COMMANDS, cli
from cnbench.experiments import registry
from cnbench.scheduler import cluster_from_dicts

PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "benchmarks/README.md")),
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "docs/experiments").glob("*.md")),
]
INLINE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
# What pages of experiments name that is the kernel's.
OTHERS_VALUES = {"psi=1"}
# What looks like a file of the repository.
FILE = re.compile(r"(?:cnbench|docs|scripts|tests|benchmarks|findings)/[\w./-]*\w")


@pytest.fixture
def given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that has what the examples read, and the documentation's own experiment."""
    commands.given_files(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CNBENCH_RESULTS", raising=False)
    return tmp_path


@pytest.fixture
def own_experiment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    folder = str(ROOT / "docs/examples")
    monkeypatch.setattr(experiments, "__path__", [*experiments.__path__, folder])
    registry.names.cache_clear()
    registry.experiment_called.cache_clear()
    yield
    registry.names.cache_clear()
    registry.experiment_called.cache_clear()


def shown() -> list[Any]:
    """Every command that a page shows, with where it is."""
    of_pages = [
        (f"{page.relative_to(ROOT)}:{example.line}", command)
        for page in PAGES
        for example in Sybil([CodeBlockParser("console", lambda _: None)]).parse(page)
        for command in commands.commands(example.parsed)
    ]
    of_notebook = [
        ("docs/notebook.ipynb", command)
        for cell in nbformat.read(ROOT / "docs/notebook.ipynb", as_version=4).cells
        for command in commands.commands(cell.source)
    ]
    of_help = [
        (f"cnbench {name} --help", command) for name in COMMANDS for command in _examples_of(name)
    ]
    return [
        pytest.param(command, id=f"{at} {command}")
        for at, command in of_pages + of_notebook + of_help
    ]


def _examples_of(name: str) -> list[str]:
    """The examples in the help of a command."""
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    text = re.sub(r"\\\n\s*", "", command.help or "")
    lines = re.findall(r"^ *(cnbench .*)$", text.partition("Examples:")[2], re.M)
    return list(commands.commands("\n".join(f"$ {line}" for line in lines)))


@pytest.mark.parametrize("command", shown())
def test_a_command_is_as_the_documentation_has_it(
    command: str, given: Path, own_experiment: None
) -> None:
    commands.follow(command)


def test_what_only_reads_is_carried_out(given: Path) -> None:
    for command in (
        "cnbench show --all",
        "cnbench compare before.jsonl after.jsonl",
        "cnbench claims",
    ):
        assert commands.follow(command).carried_out
    assert not commands.follow("cnbench run cpu-quota --budget 1m").carried_out


@pytest.mark.parametrize(
    "command",
    [
        "cnbench rum",
        "cnbench run cpu-quota --for-ever",
        "cnbench run cpu-quotas",
        "cnbench run cpu-quota -p quota=much",
        "cnbench run cpu-quota -p quotas=20%",
        "cnbench run service-routing -p services=1 -p position=last -p mode=ipvs",
        "cnbench show no-such-run",
        "cnbench compare before.jsonl after.jsonl --fail-on much",
        "cnbench fleet report gone/",
        "make everything-better",
        ".venv/bin/python -m pytest tests/gone",
        "cp docs/examples/gone.py cnbench/experiments/",
        "unheard-of --option",
    ],
)
def test_a_command_that_is_not_so_rings(command: str, given: Path) -> None:
    with pytest.raises(WrongError):
        commands.follow(command)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_a_page_names_is_there(page: Path) -> None:
    """Commands with their options, targets of make, and files, wherever they are named."""
    assert list(misnamed(page.read_text())) == []


def test_what_is_misnamed_rings() -> None:
    text = "`cnbench rum`, `cnbench run --quickly`, `make mistakes`, `docs/gone.md`, `make test`"
    assert [word for word, _ in misnamed(text)] == [
        "cnbench rum", "cnbench run --quickly", "make mistakes", "docs/gone.md"
    ]  # fmt: skip


@pytest.mark.parametrize(
    "page", sorted((ROOT / "docs/experiments").glob("*.md")), ids=lambda p: p.stem
)
def test_the_values_that_an_experiments_page_names_are_its_own(page: Path) -> None:
    assert list(strange_values(page.stem, page.read_text())) == []


def test_strange_values_ring() -> None:
    text = "`write=direct`, `write=sideways`, `-p rates=1`, `-p rate=`, `psi=1`"
    assert list(strange_values("cgroup-io", text)) == ["write=sideways", "-p rates=1"]


def strange_values(name: str, text: str) -> Iterator[str]:
    """What a page writes as a value of a parameter, and is none of this experiment."""
    experiment = registry.experiment_called(name)
    known = {parameter.name for parameter in experiment.parameters}
    for named in re.findall(r"`((?:-p )?[a-z_]+=[^`]*)`", text):
        of, _, value = named.removeprefix("-p ").partition("=")
        if of in known and value:
            try:
                experiment.parameter(of).parse(value)
            except cnbench.UsageError:
                yield named
        elif of not in known and named not in OTHERS_VALUES:
            yield named


def misnamed(text: str) -> Iterator[tuple[str, str]]:
    """What inline code names that is not there, and what of it."""
    for named in INLINE.findall(text):
        words = named.split()
        if words[0] == "cnbench" and len(words) > 1:
            try:
                options = {word.partition("=")[0] for word in words if word.startswith("--")}
                unknown = options - commands.options_of(words[1:])
            except WrongError:
                unknown = {words[1]}
            if unknown:
                yield named, ", ".join(unknown)
        elif words[0] == "make" and len(words) > 1 and words[1] not in commands.make_targets():
            yield named, words[1]
        elif FILE.fullmatch(named) and "NAME" not in named and not (ROOT / named).exists():
            yield named, named


@pytest.mark.real
@pytest.mark.skipif(os.geteuid() != 0, reason="cgroups need root")
@pytest.mark.parametrize("page", ["README.md"])
def test_the_python_of_a_page_that_measures(page: str, given: Path, cheap: None) -> None:
    assert run_python(page, {}) > 0


@pytest.mark.parametrize("page", ["docs/run-files.md", "docs/scheduler.md"])
def test_the_python_of_a_page(page: str, given: Path) -> None:
    assert run_python(page, GIVEN[page]()) > 0


def test_no_python_of_a_page_is_left_out() -> None:
    with_python = {
        str(page.relative_to(ROOT)) for page in PAGES if "\n```python\n" in page.read_text()
    }
    assert with_python == {"README.md", *GIVEN}


def test_python_that_fails_rings(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```python\nraise ValueError('so')\n```\n")
    with pytest.raises(ValueError, match="so"):
        run_python(page, {})


@pytest.fixture
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """As much sampling as shows that it works, whatever an example asks for."""
    measure = cnbench.measure
    monkeypatch.setattr(
        cnbench,
        "measure",
        lambda *what, **how: measure(*what, **how | {"budget": 1}),
        raising=False,
    )


def run_python(page: str | Path, namespace: dict[str, Any]) -> int:
    """Run a page's blocks of Python one after another; how many there are."""
    document: Document = Sybil([PythonCodeBlockParser()]).parse(ROOT / page)
    document.namespace.update(namespace)
    found = list(document)
    for example in found:
        example.evaluate()
    return len(found)


def _run_file_and_a_column() -> dict[str, Any]:
    """A run file, read up to the first column of its first case."""
    file = io.BytesIO((ROOT / "docs/notebook.jsonl").read_bytes())
    record = next(found for found in map(json.loads, file) if "samples" in found)
    return {
        "file": file, "column": record["samples"]["columns"][0],
        "base64": base64, "numpy": numpy, "zlib": zlib,
    }  # fmt: skip


def _what_kubectl_printed() -> dict[str, Any]:
    items = json.loads((ROOT / "tests/docs/given/cluster.json").read_text())["items"]
    of = {kind: [item for item in items if item["kind"] == kind] for kind in ("Node", "Pod")}
    return {
        "nodes": of["Node"], "pods": of["Pod"], "services": [], "namespaces": [], "controllers": [],
        "cluster_from_dicts": cluster_from_dicts,
    }  # fmt: skip


GIVEN = {"docs/run-files.md": _run_file_and_a_column, "docs/scheduler.md": _what_kubectl_printed}
