import platform
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from cnbench.core.fingerprint import differences
from cnbench.lab.clock import Clock
from cnbench.measuring import fingerprint

LAB = SimpleNamespace(name="host", clock=Clock("wall"), folder=Path(tempfile.gettempdir()))


def test_the_fingerprint_of_this_machine_is_the_same_twice():
    first, second = fingerprint.take(LAB), fingerprint.take(LAB)
    assert first.kernel == platform.release()
    assert (first.lab, first.clock) == ("host", "wall")
    assert [d for d in differences(first, second) if d.essential] == []
    assert {"cpu", "cpus", "memory", "virtualised"} <= first.machine.keys()
    everything = {**first.machine, **first.behaviour, **first.tools}
    assert all(isinstance(value, str) and "\n" not in value for value in everything.values())


@pytest.mark.parametrize(
    ("release", "words"),
    [
        ("5.3.0-1", "before 5.4"),
        ("5.10.0-30-amd64", "5.4 to 6.17"),
        ("6.17.9", "5.4 to 6.17"),
        ("6.18.1", "from 6.18"),
        ("7.0.0-rc1", "from 6.18"),
    ],
)
def test_the_way_of_throttling_follows_the_release(monkeypatch, release, words):
    monkeypatch.setattr(platform, "release", lambda: release)
    assert words in fingerprint.take(LAB).behaviour["throttling"]
