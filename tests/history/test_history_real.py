"""One history for real: two kernels that are there, measured, drawn, and told apart."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cnbench.lab import commands
from cnbench.lab.guest.build.images import built_userland
from cnbench.lab.guest.build.kernels import built_kernels

pytestmark = [pytest.mark.real, pytest.mark.slow]


def two_kernels() -> list[str]:
    if built_userland() is None or commands.find("qemu-system-x86_64") is None:
        return []
    return sorted(kernel.name for kernel in built_kernels())[:2]


@pytest.mark.skipif(len(two_kernels()) < 2, reason="needs two kernels: cnbench guest build")
def test_two_kernels_are_measured_and_drawn(tmp_path: Path) -> None:
    program = "from cnbench.cli.main import main; main()"
    point = ("-p", "services=1", "-p", "measure=connect", "-p", "mode=ipvs", "-p", "position=first")
    done = subprocess.run(
        [
            *(sys.executable, "-c", program, "history"),
            *("--kernels", ",".join(two_kernels()), "service-routing", *point),
        ],
        cwd=tmp_path,
        env=os.environ | {"CNBENCH_RESULTS": str(tmp_path / "results/runs")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    index = json.loads((tmp_path / "reports/asv-kernels/index.json").read_text())
    assert len(index["tags"]) == 2
    (graph,) = (tmp_path / "reports/asv-kernels/graphs").rglob(
        "machine-*/**/service-routing.connect.json"
    )
    drawn = json.loads(graph.read_text())
    assert len(drawn) == 2
    # A connection takes tens of thousands of instructions; nothing else is promised of a kernel.
    assert all(1e4 < value < 1e6 for _, (value,) in drawn)
