"""What a shell completes: asked as shells ask, by bash itself where it is there."""

import shutil
import subprocess
import sys
from pathlib import Path

import made_up
import pytest

from cnbench.store import baselines, run_file

RUN = "20260101-000000-aaaa"


@pytest.fixture
def place(results, tmp_path):
    """A folder with a run, a baseline and a file of presets."""
    run_file.write(made_up.run(made_up.result([1.0, 2.0]), identity=RUN), results / f"{RUN}.jsonl")
    baselines.save("main", RUN)
    (tmp_path / "cnbench.toml").write_text("[presets.nightly]\n[presets.ci]\n")
    return tmp_path


def batched(lines):
    """Kind and value of each thing that zsh is told; a line of help follows each."""
    return list(zip(lines[0::3], lines[1::3], strict=len(lines) != 1))


@pytest.fixture
def complete(place, run_process):
    """What a shell whose words are not taken apart (fish) is told for a line that ends so."""

    def call(line):
        done = run_process(
            _CNBENCH_COMPLETE="zsh_complete",
            COMP_WORDS=f"cnbench {line}",
            COMP_CWORD=str(len(line.split()) + (not line or line.endswith(" "))),
        )
        assert done.code == 0
        assert done.err == ""
        lines = done.out.splitlines()
        return [value for kind, value in batched(lines) if kind == "plain"]

    return call


def test_commands_options_and_experiments(complete):
    assert complete("comp") == ["compare", "completion"]
    assert "--services-from" in complete("run --ser")
    assert complete("run cpu-q") == ["cpu-quota"]
    assert complete("list cpu-") == ["cpu-burst", "cpu-quota", "cpu-weight"]


def test_parameters_are_those_of_the_experiments_that_are_named(complete):
    assert complete("run service-routing -p mo") == ["mode="]
    assert "period=" in complete("run cpu-quota -p ")
    assert "mode=" not in complete("run cpu-quota -p ")
    assert complete("run service-routing -p mode=ipt") == [
        "mode=iptables", "mode=iptables-nft",
    ]  # fmt: skip
    assert complete("run service-routing -p mode=ipvs,nfta") == ["mode=ipvs,nftables"]
    assert "period=100ms" in complete("run cpu-quota -p period=")


def test_presets_runs_and_baselines(complete):
    assert complete("run @") == ["@nightly", "@ci"]
    assert complete("show ") == ["main", "latest", "latest~1", RUN]
    assert complete("compare mai") == ["main"]
    assert complete("compare service-r") == ["service-routing"]
    assert complete("baseline remove ") == ["main"]


def test_what_is_damaged_completes_to_nothing_and_says_nothing(complete, place):
    (place / "cnbench.toml").write_text("[presets")
    assert complete("run @") == []


def test_no_command_is_imported_for_the_name_of_one(place):
    program = (
        "import os, sys; os.environ.update(_CNBENCH_COMPLETE='zsh_complete',"
        " COMP_WORDS='cnbench re', COMP_CWORD='1'); sys.argv = ['cnbench']\n"
        "from cnbench.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print([name for name in sys.modules if name.startswith('cnbench.cli.results')])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "[]", done.stderr


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("run", "cpu-q"), ["cpu-quota"]),
        (("run", "service-routing", "-p", "mo"), ["mode="]),
        # As bash takes `mode=ipvs,nfta` apart: it puts what is found in place of the last word.
        (("run", "service-routing", "-p", "mode", "=", "nfta"), ["nftables"]),
        (("run", "service-routing", "-p", "mode", "=", "ipvs,nfta"), ["ipvs,nftables"]),
        (("run", "service-routing", "-p", "bridge", "="), ["hairpin", "plain", "routed"]),
    ],
)
def test_bash_completes_what_it_has_taken_apart(place, words, found):
    scripts = Path(sys.executable).parent
    lines = [
        f'PATH={scripts}:$PATH; eval "$(cnbench completion bash)"',
        f"COMP_WORDS=(cnbench {' '.join(words)}); COMP_CWORD={len(words)}",
        "_cnbench_completion cnbench",
        'printf "%s\\n" "${COMPREPLY[@]}"',
    ]
    done = subprocess.run(
        ["bash", "--norc", "-c", "\n".join(lines)], capture_output=True, text=True
    )
    assert done.stdout.splitlines() == found, done.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_its_script(cnbench, shell):
    done = cnbench("completion", shell)
    assert done.code == 0
    assert "_CNBENCH_COMPLETE" in done.out
    assert "cnbench" in done.out
