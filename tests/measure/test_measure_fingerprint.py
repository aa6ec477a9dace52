import platform
import tempfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from cnbench.core.fingerprint import differences
from cnbench.lab.clock import Clock
from cnbench.lab.netns import open_netns
from cnbench.measuring import fingerprint

NAMESPACE = Path("/proc/thread-self/ns/net")
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


def test_what_a_new_namespace_inherits_and_decides_throughput_is_in_it():
    before = fingerprint.take(LAB)
    names = ("net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem", "net.ipv4.tcp_congestion_control")
    if not any(name in before.behaviour for name in names):
        pytest.skip("a network namespace cannot be made here")
    with open_netns("inheriting", {}) as namespace:
        for name in names:
            assert before.behaviour[name] == " ".join(namespace.sysctl(name).split())
    smaller = replace(
        before, behaviour={**before.behaviour, "net.ipv4.tcp_rmem": "4096 32768 65536"}
    )
    (found,) = differences(before, smaller)
    assert found.what == "behaviour: net.ipv4.tcp_rmem"
    assert found.essential


def test_what_a_new_namespace_does_not_inherit_is_its_own(monkeypatch):
    """The machine's own somaxconn, changed, made compare refuse two runs for nothing."""
    asked, home = fingerprint._read, NAMESPACE.readlink()

    def read(path):
        inside = NAMESPACE.readlink() != home
        return "1" if str(path).endswith("somaxconn") and not inside else asked(path)

    before = fingerprint.take(LAB)
    monkeypatch.setattr(fingerprint, "_read", read)
    assert differences(before, fingerprint.take(LAB)) == []
