"""A lab for tests that make namespaces."""

import os

import pytest

from cnbench.lab.host import open_lab


@pytest.fixture
def netlab(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("needs root to make network namespaces")
    with open_lab("host", "wall", tmp_path) as lab:
        yield lab
