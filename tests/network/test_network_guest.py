"""Backends that few hosts have, in a guest: proven, captured, and in the order of their costs."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from cnbench.lab import commands
from cnbench.lab.guest.build.images import built_userland
from cnbench.lab.guest.build.kernels import built_kernel

SPECIAL = ("ipip", "ipip-cross-subnet", "geneve", "gre", "ipvlan", "wireguard")


def no_guest() -> bool:
    return (
        commands.find("qemu-system-x86_64") is None
        or built_userland() is None
        or built_kernel("trixie") is None
    )


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.skipif(no_guest(), reason="needs QEMU and an image: cnbench guest build")
def test_what_hosts_lack_is_proven_in_a_guest_and_seals_cost_most(tmp_path):
    program = "from cnbench.cli.main import main; main()"
    point = [
        *("-p", f"backend={','.join(('host-gw', *SPECIAL))}"),
        *("-p", "traffic=udp-rr"),
        *("-p", "messages=30"),
    ]
    done = subprocess.run(
        [
            *(sys.executable, "-c", program, "run", "pod-network", "--clock", "instructions"),
            *(*point, "--budget", "0.1s", "--keep-capture", "-o", tmp_path / "run.json", "--json"),
        ],
        cwd=tmp_path,
        env=os.environ | {"CNBENCH_RESULTS": str(tmp_path / "results")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    rows = [row for row in json.loads(done.stdout)["rows"] if row["metric"] == "exchange_cost"]
    assert {row["params"]["backend"]: row["status"] for row in rows} == dict.fromkeys(
        ["host-gw", *SPECIAL], "ok"
    )
    cost = {row["params"]["backend"]: row["median"] for row in rows}
    assert cost["ipvlan"] < cost["host-gw"] < cost["ipip"] < cost["wireguard"]
    assert cost["ipip-cross-subnet"] == pytest.approx(cost["host-gw"], rel=0.02)
    assert len(list((tmp_path / "run.captures").iterdir())) == len(rows)
