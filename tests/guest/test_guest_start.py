"""What it takes to have a guest: asked for beforehand, and made where it is missing."""

import contextlib

import pytest

from cnbench.core.errors import UnsupportedError
from cnbench.lab.guest import start
from cnbench.lab.guest.errors import GuestError


@pytest.fixture
def machine(monkeypatch):
    """A machine with these tools, where a guest is built or not; gives what it built."""

    def with_tools(*tools, built):
        made = []
        monkeypatch.setattr(
            "cnbench.lab.commands.find", lambda tool: (tool in tools and tool) or None
        )
        monkeypatch.setattr(start, "is_built", lambda *_: built)
        monkeypatch.setattr(start, "ensure_userland", lambda progress, name: made.append(name))
        monkeypatch.setattr(start, "ensure_kernel", lambda kernel, progress: made.append(kernel))
        return made

    return with_tools


QEMU, BUILDER = "qemu-system-x86_64", "mmdebstrap"


def test_without_qemu_there_is_no_guest_whatever_is_built(machine):
    machine(BUILDER, built=True)
    with pytest.raises(UnsupportedError, match="qemu-system-x86_64 is not installed") as refusal:
        start.require("trixie")
    assert refusal.value.remedy == "apt-get install qemu-system-x86"


def test_what_is_built_needs_nothing_that_builds(machine):
    made = machine(QEMU, built=True)
    start.ensure_built("trixie")
    assert made == []


def test_what_is_not_built_is_built_on_the_way(machine):
    made = machine(QEMU, BUILDER, built=False)
    start.ensure_built("trixie")
    assert made == ["", "trixie"]
    start.ensure_built("trixie", userland="containers")
    assert made[2:] == ["containers", "trixie"]


def test_what_is_neither_built_nor_can_be_is_refused_before_anything_is_measured(machine):
    machine(QEMU, built=False)
    with pytest.raises(UnsupportedError, match="mmdebstrap is not installed"):
        start.require("trixie")


@pytest.mark.parametrize(
    ("error", "forgotten"),
    [(FileNotFoundError("state"), 0), (GuestError("its state was not transferred"), 1)],
)
def test_a_state_that_is_gone_is_made_anew_and_one_that_is_broken_forgotten(
    monkeypatch, tmp_path, error, forgotten
):
    forgets = []
    states = iter([error, tmp_path / "state"])

    def ensure_attached_state(*_):
        if isinstance(state := next(states), Exception):
            raise state
        return state

    @contextlib.contextmanager
    def restore(*parts):
        yield parts[-1]

    monkeypatch.setattr(start, "check_digests", lambda *_: ("kernel", "userland"))
    monkeypatch.setattr(start, "ensure_code", lambda userland: tmp_path)
    monkeypatch.setattr(start, "restore", restore)
    monkeypatch.setattr(start.saved, "ensure_attached_state", ensure_attached_state)
    monkeypatch.setattr(start.saved, "forget", lambda *machine: forgets.append(machine))
    with start.guest("trixie", "instructions") as machine:
        assert machine == tmp_path / "state"
    assert len(forgets) == forgotten
