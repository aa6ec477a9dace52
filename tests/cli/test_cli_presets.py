"""``cnbench run @nightly``: what a preset stands for, and what it cannot."""

import json

import pytest

from cnbench.cli.measure.presets import file_for, written_out
from cnbench.cli.measure.run import command
from cnbench.core.errors import UsageError

FILE = """
[presets.nightly]
experiments = ["service-routing", "copy-up"]
services-from = "deploy/services.yaml"
clock = "instructions"
full = true
keep-capture = true
anew = false
repeat = 3
kernel = "build/vmlinuz"
parameters = { measure = "connect", services = [1, 1000] }

[presets.other]
quick = false
kernel = "trixie,bookworm"

[presets]
broken = 3
wrong-option = { clok = "wall" }
wrong-flag = { force = "yes" }
wrong-value = { experiments = [{}] }
wrong-parameters = { parameters = ["mode"] }
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / ".git").mkdir()
    (tmp_path / "cnbench.toml").write_text(FILE)
    (tmp_path / "below/deeper").mkdir(parents=True)
    return tmp_path


def test_a_preset_is_what_one_would_have_typed(folder):
    assert written_out(["--budget", "2m", "@nightly", "-p", "services=5"], command, folder) == [
        "service-routing", "copy-up",
        "--services-from", str(folder / "deploy/services.yaml"),
        "--clock", "instructions", "--full", "--keep-capture", "--repeat", "3",
        "--kernel", str(folder / "build/vmlinuz"),
        "-p", "measure=connect", "-p", "services=1,1000",
        "--budget", "2m", "-p", "services=5",
    ]  # fmt: skip
    assert written_out(["@other"], command, folder) == ["--full", "--kernel", "trixie,bookworm"]


def test_without_one_nothing_is_looked_for(tmp_path):
    assert written_out(["copy-up", "-o", "./@file"], command, tmp_path / "missing") == [
        "copy-up", "-o", "./@file",
    ]  # fmt: skip


def test_the_file_is_the_nearest_in_the_repository_and_never_beyond(folder, tmp_path):
    assert file_for(folder / "below/deeper") == folder / "cnbench.toml"
    nearer = folder / "below/cnbench.toml"
    nearer.write_text("")
    assert file_for(folder / "below/deeper") == nearer
    nearer.unlink()
    (folder / "below/.git").write_text("gitdir: elsewhere")  # as a worktree has it
    assert file_for(folder / "below/deeper") is None
    (folder / ".git").rmdir()
    (folder / "below/.git").unlink()
    assert file_for(folder / "below") is None  # what lies above may be anybody's
    assert file_for(folder) == folder / "cnbench.toml"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nightley", "has no preset 'nightley'"),
        ("", "has no preset ''"),
        ("broken", "preset broken: it is no table"),
        ("wrong-option", "there is no 'clok'"),
        ("wrong-flag", "force is true or false, not 'yes'"),
        ("wrong-value", "experiments has {}"),
        ("wrong-parameters", "parameters is no table"),
    ],
)
def test_what_it_cannot_stand_for_is_refused(folder, name, words):
    with pytest.raises(UsageError, match=words) as refusal:
        written_out([f"@{name}"], command, folder)
    assert "\n" not in str(refusal.value)


def test_a_damaged_file_and_none_at_all_are_told(folder, cnbench, tmp_path):
    cnbench("run", "@nightley").failed_in_one_sentence(2, "no preset", "did you mean nightly?")
    (folder / "cnbench.toml").write_text("[presets")
    cnbench("run", "@nightly").failed_in_one_sentence(2, "cannot be read")
    (folder / "cnbench.toml").unlink()
    cnbench("run", "@nightly").failed_in_one_sentence(2, "there is no cnbench.toml")


def test_a_run_is_what_its_preset_says_and_what_is_typed_beside_it(cnbench, tmp_path):
    (tmp_path / "cnbench.toml").write_text(
        "[presets.ci]\n"
        'experiments = ["made-up"]\nlab = "host"\nbudget = "1s"\n'
        'parameters = { mode = "a", size = "1,2", pace = "1ms" }\n'
    )
    done = cnbench("run", "@ci", "-p", "size=2", "--json")
    assert [row["params"]["size"] for row in json.loads(done.out)["rows"]] == [2]
    assert done.code == 0
