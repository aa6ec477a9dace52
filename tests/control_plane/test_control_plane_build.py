"""Builds are whole or not there; what they say, and what stands in their way."""

import json

import pytest
from click.testing import CliRunner

from cnbench.cli.machine.control_plane import command
from cnbench.control_plane import binaries
from cnbench.control_plane.build import kubernetes, recipes
from cnbench.control_plane.build.recipes import Recipe
from cnbench.control_plane.build.workshop import Go
from cnbench.core.errors import CnbenchError, UnsupportedError, UsageError


def program(folder, name="server"):
    folder.mkdir(exist_ok=True)
    (folder / name).write_text("#!/bin/sh\n")
    (folder / name).chmod(0o755)


def make(workshop, into):
    (workshop.folder / "gigabytes").write_text("")
    program(into)
    return {"golang": "1.19"}


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("CNBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv(binaries.VARIABLE, raising=False)
    return tmp_path / "cache"


@pytest.fixture
def recipe(monkeypatch):
    made = Recipe("made-up", "bookworm", ("server",), make)
    monkeypatch.setitem(recipes.RECIPES, "made-up", made)
    return made


def test_a_build_is_found_again_with_what_it_was_built_from(recipe):
    assert recipes.built(recipe) is None
    built = recipes.ensure(recipe, print)
    assert built == recipes.built(recipe)
    assert built.versions == {"golang": "1.19"}
    assert list(built.digests) == ["server"]
    assert sorted(path.name for path in built.folder.parent.iterdir()) == ["bin", "facts.json"]


def test_a_build_that_fails_leaves_nothing(recipe, own_cache, monkeypatch):
    def fail(workshop, into):
        make(workshop, into)
        raise CnbenchError("it does not compile")

    broken = Recipe("broken", "bookworm", ("server",), fail)
    with pytest.raises(CnbenchError, match="does not compile"):
        recipes.ensure(broken, print)
    assert recipes.built(broken) is None
    assert [path.name for path in (own_cache / "control-plane").iterdir() if path.is_dir()] == []


def test_a_build_is_made_anew_only_when_asked(recipe):
    recipes.ensure(recipe, print)
    calls = []
    again = Recipe(recipe.name, recipe.suite, recipe.programs, lambda *a: calls.append(a) or {})
    recipes.ensure(again, print)
    assert not calls
    with pytest.raises(FileNotFoundError):  # it makes nothing
        recipes.ensure(again, print, rebuild=True)
    assert recipes.built(recipe) is not None


def test_programs_that_changed_since_are_not_run(recipe, monkeypatch):
    built = recipes.ensure(recipe, print)
    assert binaries.binaries_of("made-up").path("server") == str(built.folder / "server")
    program(built.folder, "server")
    (built.folder / "server").write_text("another")
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr(recipes.cache, "require_digest", recipes.cache.require_digest.__wrapped__)
    with pytest.raises(UnsupportedError, match="has changed since it was built"):
        binaries.binaries_of("made-up")


def test_what_is_not_built_says_how_to_build_it(recipe):
    with pytest.raises(UnsupportedError, match="not built here") as raised:
        binaries.binaries_of("made-up")
    assert raised.value.remedy == "cnbench control-plane build made-up"


def test_programs_of_the_users_own_are_taken_from_the_folder_that_is_named(tmp_path, monkeypatch):
    with pytest.raises(UnsupportedError, match="no folder"):
        binaries.binaries_of(binaries.OWN)
    monkeypatch.setenv(binaries.VARIABLE, str(tmp_path / "missing"))
    with pytest.raises(UnsupportedError, match="is no folder"):
        binaries.binaries_of(binaries.OWN)
    program(tmp_path / "own", "etcd")
    monkeypatch.setenv(binaries.VARIABLE, str(tmp_path / "own"))
    own = binaries.binaries_of(binaries.OWN)
    assert own.path("etcd") == str(tmp_path / "own/etcd")
    with pytest.raises(UnsupportedError, match="no program kube-apiserver"):
        own.path("kube-apiserver")


def test_the_list_says_what_is_built(recipe):
    assert json.loads(CliRunner().invoke(command, ["list", "--json"]).output)["made-up"] is None
    recipes.ensure(recipe, print)
    said = json.loads(CliRunner().invoke(command, ["list", "--json"]).output)["made-up"]
    assert said["versions"] == {"golang": "1.19"}
    assert "made-up" in CliRunner().invoke(command, ["list"]).output


def test_what_cannot_be_built_is_named_with_what_can():
    with pytest.raises(UsageError, match="'kuberneets' cannot be built") as raised:
        recipes.recipe_called("kuberneets")
    assert "kubernetes-1.20" in raised.value.remedy


def test_types_that_are_published_are_found_where_they_are_imported_from(tmp_path):
    for path in ("pkg/apis/abac/v0", "staging/src/k8s.io/api/core/v1", "pkg/other",
                 "staging/src/k8s.io/sample-apiserver/v1"):  # fmt: skip
        (tmp_path / path).mkdir(parents=True)
        tag = "" if path == "pkg/other" else "// +k8s:openapi-gen=true\n"
        (tmp_path / path / "doc.go").write_text(f"{tag}package v1\n")
    assert kubernetes._published(tmp_path) == [
        "k8s.io/kubernetes/pkg/apis/abac/v0",
        "k8s.io/kubernetes/vendor/k8s.io/api/core/v1",
    ]


def test_a_compiler_that_fails_is_heard(tmp_path):
    (tmp_path / "root/bin").mkdir(parents=True)
    go = tmp_path / "root/bin/go"
    go.write_text('#!/bin/sh\n[ $1 = list ] && exit\necho "x.go:1: undefined: y" >&2\nexit 1\n')
    go.chmod(0o755)
    said = []
    compiler = Go(tmp_path, tmp_path / "root", tmp_path, said.append)
    with pytest.raises(CnbenchError, match="server could not be compiled: x"):
        compiler.build(tmp_path / "bin", ["example.com/cmd/server"])
    assert said == ["compiling server: package 0 of at most 0"]


def test_a_fingerprint_tells_servers_apart(recipe, tmp_path, monkeypatch):
    assert binaries.versions() == {}
    recipes.ensure(recipe, print)
    program(tmp_path / "own", "etcd")
    monkeypatch.setenv(binaries.VARIABLE, str(tmp_path / "own"))
    before = binaries.versions()
    assert set(before) == {"servers made-up", "servers own"}
    (tmp_path / "own/etcd").write_text("another")
    after = binaries.versions()
    assert after["servers own"] != before["servers own"]
    assert after["servers made-up"] == before["servers made-up"]


def test_a_folder_of_ones_own_is_named_on_the_command_line(tmp_path, monkeypatch):
    from cnbench.cli.measure.run import command as run

    monkeypatch.setenv(binaries.VARIABLE, "another")
    asked = ["list-watch", "-p", "server=own", "--bin-dir", str(tmp_path / "missing")]
    said = CliRunner().invoke(run, [*asked, "--lab", "host", "-o", str(tmp_path / "run.json")])
    assert "missing, which is no folder" in said.output
    assert said.exit_code != 0
