import pytest

from cnbench.measuring import witness


@pytest.fixture(autouse=True)
def quiet_machine(monkeypatch):
    """A machine on which nothing disturbs a sample, whatever this one is doing."""
    monkeypatch.setattr(witness, "disturbances", lambda shares, duration: ())
