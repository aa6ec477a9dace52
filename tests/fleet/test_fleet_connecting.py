import dask.config
import distributed  # noqa: F401 - its defaults are known once it is imported
import pytest

from cnbench.fleet.connecting import SETTINGS


@pytest.mark.parametrize("name", SETTINGS)
def test_dask_knows_each_setting_by_its_name(name):
    default = dask.config.get(name)
    with dask.config.set(SETTINGS):
        assert dask.config.get(name) == SETTINGS[name] != default
