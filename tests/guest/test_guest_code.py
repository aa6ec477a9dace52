"""The disk with the measuring code: what is on it, and what it is kept under."""

import tomllib
from pathlib import Path

import pytest

from cnbench.lab.guest.build import cache, code

PROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"


@pytest.fixture
def written(monkeypatch, tmp_path):
    """The folder of a package; and the disks that were written, as the files of each."""
    monkeypatch.setattr(cache, "folder", lambda: tmp_path / "cache")
    disks = []

    def build(building, sources, folders, userland):
        disks.append({f"{name}/{path.relative_to(folders[name])}" for name, path in sources})

    monkeypatch.setattr(code, "_build", build)
    folder = tmp_path / "cnbench"
    for part in ("lab/loop.py", "report/page.py", "api.py", "__init__.py"):
        (folder / part).parent.mkdir(parents=True, exist_ok=True)
        (folder / part).write_text("")
    return folder, disks


class Userland:
    digest = "a userland"


def test_a_guest_lacks_what_lies_above_the_measuring_layer():
    contracts = tomllib.loads(PROJECT.read_text())["tool"]["importlinter"]["contracts"]
    layers = next(one["layers"] for one in contracts if one["type"] == "layers")
    above = " | ".join(layers[: layers.index("measuring")]).split(" | ")
    assert {Path(name).stem for name in code.NOT_MEASURING} == set(above)


def test_what_only_prints_is_not_on_the_disk_and_leaves_it_as_it_is(written):
    folder, disks = written
    first = code.ensure_code(Userland(), {"cnbench": folder})
    (folder / "report" / "page.py").write_text("colour = 'blue'")
    (folder / "api.py").write_text("more = 1")
    assert code.ensure_code(Userland(), {"cnbench": folder}) == first
    assert disks == [{"cnbench/__init__.py", "cnbench/lab/loop.py"}]


def test_a_change_of_what_measures_makes_another_disk(written):
    folder, disks = written
    first = code.ensure_code(Userland(), {"cnbench": folder})
    (folder / "lab" / "loop.py").write_text("turns = 2")
    assert code.ensure_code(Userland(), {"cnbench": folder}) != first
    assert len(disks) == 2
