import os
import subprocess

import pytest

from cnbench.lab.host import open_lab


@pytest.fixture
def lab(tmp_path):
    """A lab on this machine, with a journal of the test's own."""
    if os.geteuid() != 0:
        pytest.skip("namespaces and cgroups need root")
    if subprocess.run(["unshare", "--net", "true"], capture_output=True).returncode:
        pytest.skip("network namespaces cannot be made here")
    with open_lab("host", "wall", tmp_path / "journals") as opened, opened.fresh_fixtures():
        yield opened
    assert list((tmp_path / "journals").iterdir()) == []
    assert not opened.folder.exists()
