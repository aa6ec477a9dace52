"""``cnbench init``: what it finds out and writes, and that others accept what it has written."""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from cnbench.cli.init import finding
from cnbench.cli.init.command import command
from cnbench.cli.measure import presets
from cnbench.cli.measure.run import command as run_command
from cnbench.core.errors import UsageError

NEW = {
    "cnbench.toml", "asv.conf.json", "benchmarks/__init__.py", "benchmarks/services.py",
    "ci/cnbench.sh", ".github/workflows/cnbench.yml", ".gitignore",
}  # fmt: skip


def services(count):
    """A list of services with an endpoint each, as kubectl gives it."""
    items = []
    for number in range(count):
        name, address = f"app-{number}", f"10.96.0.{number + 1}"
        ports = [{"name": "http", "port": 80, "protocol": "TCP"}]
        items.append(
            {
                "apiVersion": "v1",
                "kind": "Service",
                "metadata": {"name": name, "namespace": "shop"},
                "spec": {"clusterIP": address, "clusterIPs": [address], "ports": ports},
            }
        )
        items.append(
            {
                "apiVersion": "discovery.k8s.io/v1",
                "kind": "EndpointSlice",
                "addressType": "IPv4",
                "metadata": {
                    "name": f"{name}-slice",
                    "namespace": "shop",
                    "labels": {"kubernetes.io/service-name": name},
                },
                "ports": [{"name": "http", "port": 80, "protocol": "TCP"}],
                "endpoints": [{"addresses": [f"10.244.0.{number + 1}"]}],
            }
        )
    return {"apiVersion": "v1", "kind": "List", "items": items}


def git(folder, *arguments):
    identity = ("-c", "user.name=nobody", "-c", "user.email=nobody@localhost")
    argv = ["git", "-C", str(folder), *identity, *arguments]
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def repository(tmp_path):
    folder = tmp_path / "shop"
    (folder / "deploy").mkdir(parents=True)
    git(folder, "init", "--quiet", "--initial-branch", "trunk")
    (folder / "deploy/few.json").write_text(json.dumps(services(2)))
    (folder / "deploy/most.yaml").write_text(yaml.safe_dump(services(5)))
    (folder / "deploy/plain.yaml").write_text("kind: Deployment\n")
    (folder / "deploy/broken.yaml").write_text("kind: EndpointSlice\n  : [")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "-m", "start")
    return folder


def init(folder, *options):
    done = CliRunner().invoke(command, [str(folder), *options], catch_exceptions=False)
    assert done.exit_code == 0
    return done.output


def files(folder):
    listed = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)) for path in listed if ".git/" not in f"{path}/"}


def test_it_asks_nothing_that_it_can_find_out(repository):
    said = init(repository)
    assert "measured: deploy/most.yaml, 5 services" in said
    preset = tomllib.loads((repository / "cnbench.toml").read_text())["presets"]["ci"]
    assert preset["services-from"] == "deploy/most.yaml"
    script = (repository / "ci/cnbench.sh").read_text()
    assert "\nservices=deploy/most.yaml\nbranch=trunk\n" in script
    assert "fail_on=${CNBENCH_FAIL_ON:-0.5%}\n" in script
    workflow = yaml.safe_load((repository / ".github/workflows/cnbench.yml").read_text())
    assert workflow[True]["push"]["branches"] == ["trunk"]  # YAML 1.1 reads `on` as true
    assert '"project": "shop"' in (repository / "asv.conf.json").read_text()


def test_what_is_told_is_not_looked_for(repository):
    init(repository, "--services-from", "deploy/few.json", "--fail-on", "2%", "--cnbench", "c==9")
    script = (repository / "ci/cnbench.sh").read_text()
    assert "\nservices=deploy/few.json\n" in script
    assert "fail_on=${CNBENCH_FAIL_ON:-2%}\n" in script
    assert "requirement=${CNBENCH_REQUIREMENT:-c==9}\n" in script
    assert "pip install c==9" in (repository / "asv.conf.json").read_text()


def test_it_writes_its_own_files_and_overwrites_nothing(repository):
    before = files(repository)
    (repository / "cnbench.toml").write_text("# mine\n")
    (repository / ".gitignore").symlink_to("/nowhere")
    said = init(repository)
    assert (repository / "cnbench.toml").read_text() == "# mine\n"
    assert "left alone, it is there: cnbench.toml" in said
    assert "left alone, it is there: .gitignore" in said
    assert files(repository) == before | NEW - {".gitignore"}
    written = {name: (repository / name).read_bytes() for name in NEW - {".gitignore"}}
    again = init(repository)
    assert "written:" not in again
    assert {name: (repository / name).read_bytes() for name in written} == written


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda folder: None, "is not the root of a git repository"),
        (lambda folder: git(folder, "init", "--quiet"), "no file in .* has Services"),
    ],
)
def test_where_nothing_can_be_measured_nothing_is_written(tmp_path, spoil, words):
    folder = tmp_path / "empty"
    folder.mkdir()
    spoil(folder)
    before = files(folder)
    with pytest.raises(UsageError, match=words):
        init(folder)
    assert files(folder) == before


@pytest.mark.parametrize("name", ["../outside.json", "/etc/hostname", "deploy/plain.yaml"])
def test_a_file_that_cannot_be_measured_or_is_elsewhere_is_refused(repository, tmp_path, name):
    (tmp_path / "outside.json").write_text(json.dumps(services(3)))
    with pytest.raises(UsageError):
        init(repository, "--services-from", name)
    assert not (repository / "cnbench.toml").exists()


@pytest.mark.parametrize(
    ("told", "requirement"),
    [
        ({}, "cnbench=="),
        ({"url": "file:///home/me/cnbench", "dir_info": {"editable": True}}, "cnbench=="),
        (
            {"url": "https://host.example/c.git", "vcs_info": {"vcs": "git", "commit_id": "1ab"}},
            "cnbench @ git+https://host.example/c.git@1ab",
        ),
    ],
)
def test_pip_is_told_what_others_can_install(repository, monkeypatch, told, requirement):
    class Here:
        version = "0.1.0"

        def read_text(self, name):
            return json.dumps(told)

    monkeypatch.setattr(finding, "distribution", lambda name: Here())
    assert finding.find(repository, "", "").requirement.startswith(requirement)


def test_the_preset_is_one_that_run_understands(repository, monkeypatch):
    init(repository)
    arguments = presets.written_out(["@ci"], run_command, repository)
    assert ["--services-from", str(repository / "deploy/most.yaml")] == arguments[1:3]
    context = run_command.make_context("run", arguments)
    assert context.params["clock"] == "instructions"


def test_shells_and_names_are_no_trap(repository):
    odd = "deploy/$(touch x) '`\".json"
    (repository / odd).write_text(json.dumps(services(9)))
    branch = "a'$(touch${IFS}y)"
    git(repository, "checkout", "--quiet", "-b", branch)
    init(repository)
    assert presets.written_out(["@ci"], run_command, repository)[2] == str(repository / odd)
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "-m", "init")
    done = script(repository, "no such commit", "HEAD")
    assert done.returncode == 2
    compile((repository / "benchmarks/services.py").read_text(), "services.py", "exec")
    assert not {"x", "y"} & {path.name for path in repository.rglob("*")}


def script(folder, *arguments):
    argv = ["ci/cnbench.sh", *arguments]
    return subprocess.run(argv, cwd=folder, capture_output=True, text=True)


def test_the_script_has_nothing_that_shellcheck_knows_better(repository):
    init(repository)
    shellcheck = Path(sys.executable).with_name("shellcheck")
    done = subprocess.run(
        [shellcheck, repository / "ci/cnbench.sh"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout


def test_the_script_says_what_is_missing_before_it_measures(repository):
    init(repository)
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "-m", "init")
    done = script(repository, "nothing-of-the-kind", "HEAD")
    assert (done.returncode, done.stdout) == (2, "")
    assert "no commit nothing-of-the-kind here" in done.stderr
    done = script(repository, "HEAD", "nothing-of-the-kind")
    assert done.returncode == 2


def test_the_first_change_has_nothing_to_be_compared_with(repository):
    git(repository, "rm", "--quiet", "-r", "deploy")
    git(repository, "commit", "--quiet", "-m", "without")
    (repository / "services.json").write_text(json.dumps(services(2)))
    init(repository)
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "-m", "init")
    done = script(repository, "HEAD^", "HEAD")
    assert done.returncode == 0, done.stderr
    assert "nothing to compare with" in done.stdout
    assert (repository / ".cache/cnbench-ci/comment.md").read_text() == done.stdout
    assert git(repository, "status", "--short") == ""


@pytest.mark.slow
def test_asv_check_passes(repository):
    """With this interpreter: `scripts/gate_false_alarms.py` has asv make its own environment."""
    init(repository)
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "-m", "init")
    argv = [sys.executable, "-m", "asv", "check", "-E", f"existing:{sys.executable}"]
    done = subprocess.run(
        argv, cwd=repository, capture_output=True, text=True, env=os.environ | {"HOME": "/nowhere"}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No problems found" in done.stdout
    (repository / "benchmarks/services.py").write_text("import nothing_of_the_kind\n")
    done = subprocess.run(argv, cwd=repository, capture_output=True, text=True)
    assert done.returncode != 0  # it can fail
