"""Every probe asked on this machine's own kernel, and seen to answer otherwise."""

import os
from pathlib import Path

import pytest

from cnbench.behaviours.network import syn_retries
from cnbench.behaviours.observation import observe
from cnbench.behaviours.registry import all_behaviours
from cnbench.lab.host import open_lab

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(os.geteuid() != 0, reason="making namespaces and groups needs root"),
]

# It waits for half a minute with its controls; below it is asked for less.
PATIENT = syn_retries.BEHAVIOUR.name
NAMES = [name for name in all_behaviours() if name != PATIENT]


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with open_lab("host", "wall", tmp_path_factory.mktemp("journal")) as opened:
        yield opened


@pytest.mark.parametrize("name", NAMES)
def test_a_probe_answers_and_can_answer_otherwise(lab, name):
    before = Path("/proc/self/mounts").read_text()
    found = observe(all_behaviours()[name], lab, controls=True)
    assert Path("/proc/self/mounts").read_text() == before
    if found.status == "unsupported":
        pytest.skip(found.reason)
    assert found.status == "ok", found.reason
    assert found.control_differs, (found.answer, found.controls)


def test_a_client_that_may_try_again_does(lab):
    answer = syn_retries.BEHAVIOUR.probe(lab, retries=(1,))
    assert "SYNs" in answer
    assert "1 SYNs" not in answer
