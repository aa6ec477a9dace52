"""Profiles for real: a guest whose rules are walked, and whose functions add up to the figure."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cnbench.core.errors import UnsupportedError
from cnbench.lab import commands
from cnbench.lab.guest.build.images import built_userland
from cnbench.lab.guest.build.kernels import built_kernel
from cnbench.lab.guest.tracing import plugin

PROGRAM = "from cnbench.cli.main import main; main()"
POINT = ("mode=iptables", "measure=connect", "position=last", "probes=10")


def why_not() -> str:
    if built_userland() is None or built_kernel("trixie") is None:
        return "needs a guest: cnbench guest build"
    missing = [tool for tool in ("qemu-system-x86_64", "cc") if commands.find(tool) is None]
    return f"needs {', '.join(missing)}" if missing else ""


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.skipif(bool(why_not()), reason=why_not())
def test_the_function_that_walks_the_rules_gains_what_more_rules_cost(tmp_path: Path) -> None:
    options = [word for value in POINT for word in ("-p", value)]
    done = subprocess.run(
        [
            *(sys.executable, "-c", PROGRAM, "profile", "service-routing", *options),
            *("--vary", "services=2,200", "--json", "-o", "flames.svg"),
        ],
        cwd=tmp_path,
        env=os.environ | {"CNBENCH_RESULTS": str(tmp_path / "results/runs")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    few, many = json.loads(done.stdout)["profiles"]
    for profile in (few, many):
        assert sum(profile["stacks"].values()) == pytest.approx(profile["figure"], rel=0.005)
    more = own(many) - own(few)
    assert more > 198 * 20
    assert more == pytest.approx(many["figure"] - few["figure"], rel=0.1)
    assert "<title>ipt_do_table [ip_tables]" in (tmp_path / "flames.svg").read_text()


def own(profile: dict[str, dict[str, int]]) -> int:
    """What walking the table executed itself."""
    stacks = profile["stacks"].items()
    return sum(count for stack, count in stacks if "ipt_do_table" in stack.rpartition(";")[2])


def test_without_a_compiler_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CNBENCH_CACHE", str(tmp_path))
    monkeypatch.setattr(commands, "find", lambda tool: None)
    with pytest.raises(UnsupportedError, match="cc is not installed") as raised:
        plugin.ensure_plugin()
    assert raised.value.remedy == "apt-get install gcc"


@pytest.mark.real
@pytest.mark.skipif(commands.find("cc") is None, reason="needs a C compiler")
def test_the_plugin_is_compiled_once_without_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CNBENCH_CACHE", str(tmp_path))
    made = plugin.ensure_plugin()
    assert made.read_bytes()[:4] == b"\x7fELF"
    assert plugin.ensure_plugin() == made
    source = Path(plugin.__file__).with_name("counter.c")
    strict = ["cc", "-Wall", "-Wextra", "-Werror", "-O2", "-shared", "-fPIC", "-o", "/dev/null"]
    commands.run([*strict, str(source)])
