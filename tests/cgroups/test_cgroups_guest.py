"""Experiments that the host may lack, in a guest: proven there, and no proof where it is broken."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cnbench.lab.guest import start

PROGRAM = Path(__file__).with_name("in_guest.py").read_text()
CASES = re.findall(r'^CASES\["(.+)"\]', PROGRAM, re.MULTILINE)
KERNEL = "trixie"

pytestmark = [
    pytest.mark.real,
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("qemu-system-x86_64") is None, reason="needs QEMU"),
    pytest.mark.skipif(
        not start.is_built(KERNEL), reason=f"needs: cnbench guest build --kernel {KERNEL}"
    ),
]


@pytest.fixture(scope="module")
def said():
    """What each case gave, by its name; all of them in one guest."""
    cnbench = Path(sys.executable).with_name("cnbench")
    done = subprocess.run(
        [str(cnbench), "guest", "run", "--kernel", KERNEL, "--clock", "instructions",
         "--", "python3", "-c", PROGRAM],
        capture_output=True, text=True, timeout=900,
    )  # fmt: skip
    lines = [line for line in done.stdout.splitlines() if line.startswith('{"case"')]
    assert lines, done.stderr
    return {one["case"]: one for one in map(json.loads, lines)}


@pytest.mark.parametrize("case", CASES)
def test_what_a_guest_has_is_proven_and_its_proof_can_break(said, case):
    found = said[case]
    assert "failed" not in found, found.get("failed")
    assert (found["without a sample"], found["broken"], found["rings"]) == (False, [], True)
    assert found["values"]
