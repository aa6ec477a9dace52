import os

import pytest

from cnbench.control_plane.binaries import binaries_of
from cnbench.control_plane.servers.plane import require_plane
from cnbench.core.errors import UnsupportedError
from cnbench.lab.host import open_lab


@pytest.fixture(scope="module")
def shared_lab(tmp_path_factory):
    """One lab for the tests of a module, whose subjects share their servers."""
    if os.geteuid() != 0:
        pytest.skip("an enclave needs root")
    journals = tmp_path_factory.mktemp("journals")
    with open_lab("host", "wall", journals) as opened, opened.fresh_fixtures():
        yield opened
    assert list(journals.iterdir()) == []
    assert not opened.folder.exists()


@pytest.fixture
def built(shared_lab):
    """The programs of a server, where they are built."""

    def binaries(server):
        try:
            require_plane(shared_lab)
            return binaries_of(server)
        except UnsupportedError as error:
            pytest.skip(f"{error}; {error.remedy}")

    return binaries
