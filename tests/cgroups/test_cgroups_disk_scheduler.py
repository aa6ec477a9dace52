"""Another scheduler for a disk of ours, for a while."""

import contextlib

import pytest

from cnbench.core.errors import UnsupportedError
from cnbench.lab import resources
from cnbench.lab.resources import Resource
from cnbench.lab.storage import scheduler

pytestmark = pytest.mark.real


@pytest.fixture
def disk(lab):
    image = lab.temporary_folder() / "disk"
    image.write_bytes(bytes(1 << 20))
    with contextlib.ExitStack() as stack:
        try:
            yield stack.enter_context(lab.loop_device(image))
        except UnsupportedError as error:
            pytest.skip(str(error))


def bfq(lab, disk, **settings):
    """BFQ for a disk, or why this test cannot be."""
    opened = contextlib.ExitStack()
    try:
        opened.enter_context(lab.disk_scheduler(disk, "bfq", settings))
    except UnsupportedError as error:
        pytest.skip(str(error))
    return opened


def test_a_disk_has_its_own_scheduler_again(lab, disk):
    before = scheduler.current(disk)
    with bfq(lab, disk, low_latency=0):
        assert scheduler.current(disk) == "bfq"
    assert scheduler.current(disk) == before != "bfq"


def test_what_a_killed_run_left_is_restored_by_what_the_journal_says(lab, disk):
    before = scheduler.current(disk)
    with bfq(lab, disk):
        resources.remove(Resource("scheduler", f"{disk.image} {before}"), found=True)
        assert scheduler.current(disk) == before


@pytest.mark.parametrize(
    ("name", "settings"), [("no-such", {}), ("bfq", {"no_such": 1})], ids=["name", "setting"]
)
def test_what_the_kernel_has_not_is_its_limit_and_changes_nothing(lab, disk, name, settings):
    before = scheduler.current(disk)
    with (
        pytest.raises(UnsupportedError, match=f"cannot schedule a disk by {name}"),
        lab.disk_scheduler(disk, name, settings),
    ):
        pass
    assert scheduler.current(disk) == before
