import os

import pytest

from cnbench.containers.enclave import open_enclave
from cnbench.containers.runtimes import open_files
from cnbench.core.errors import UnsupportedError
from cnbench.lab.host import open_lab


@pytest.fixture
def lab(tmp_path):
    """A lab on this machine, with a journal of the test's own."""
    if os.geteuid() != 0:
        pytest.skip("containers need root")
    with open_lab("host", "wall", tmp_path / "journals") as opened, opened.fresh_fixtures():
        yield opened
    assert list((tmp_path / "journals").iterdir()) == []
    assert not opened.folder.exists()


@pytest.fixture(scope="module")
def shared_lab(tmp_path_factory):
    """One lab for the tests of a module, whose subjects share an enclave and its daemon."""
    if os.geteuid() != 0:
        pytest.skip("containers need root")
    journals = tmp_path_factory.mktemp("journals")
    with open_lab("host", "wall", journals) as opened, opened.fresh_fixtures():
        yield opened
    assert list(journals.iterdir()) == []


@pytest.fixture
def enclave(lab):
    """An enclave of its own."""
    with open_enclave(lab) as opened:
        yield opened


@pytest.fixture
def files(enclave):
    """The image's files in the enclave."""
    try:
        with open_files(enclave) as opened:
            yield opened
    except UnsupportedError as error:
        pytest.skip(f"{error}; {error.remedy}")
