import os

import pytest

from cnbench.lab.host import open_lab


@pytest.fixture
def lab(tmp_path):
    """A lab on this machine, with a journal of the test's own."""
    if os.geteuid() != 0:
        pytest.skip("cgroups need root")
    with open_lab("host", "wall", tmp_path / "journals") as opened, opened.fresh_fixtures():
        yield opened
    assert list((tmp_path / "journals").iterdir()) == []
    assert not opened.folder.exists()
