"""A scheduler behind TLS: who is of its authority reaches it, and nobody else."""

import pytest
from distributed import LocalCluster

from cnbench.control_plane.servers.certificates import Pair, make_certificates
from cnbench.core.errors import CnbenchError
from cnbench.fleet.connecting import Credentials, connected
from cnbench.lab import commands

pytestmark = pytest.mark.skipif(not commands.find("openssl"), reason="openssl is not installed")


def credentials(folder):
    folder.mkdir()
    made = make_certificates(folder)
    # Each end is asked and asks: its certificate must be good for both.
    pair = Pair(folder / "member.crt", folder / "member.key")
    made.sign(pair, "/CN=member", "basicConstraints=CA:FALSE")
    return Credentials(made.authority.certificate, pair.certificate, pair.key)


@pytest.fixture(scope="module")
def ours(tmp_path_factory):
    return credentials(tmp_path_factory.mktemp("tls") / "ours")


@pytest.fixture(scope="module")
def address(ours):
    with LocalCluster(
        n_workers=0, processes=False, protocol="tls://", host="127.0.0.1",
        security=ours.security(), dashboard_address="127.0.0.1:0",
    ) as cluster:  # fmt: skip
        yield cluster.scheduler_address


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr("cnbench.fleet.connecting.SECONDS_TO_CONNECT", 2)


def test_a_member_of_the_authority_reaches_the_scheduler(address, ours):
    assert address.startswith("tls://127.0.0.1:")
    with connected(address, ours) as client:
        assert client.scheduler_info(n_workers=-1)["workers"] == {}


def test_who_is_of_another_authority_does_not(address, tmp_path, impatient):
    with (
        pytest.raises(CnbenchError, match="no scheduler answers"),
        connected(address, credentials(tmp_path / "theirs")),
    ):
        pass


def test_who_has_no_certificate_does_not(address, impatient):
    with (
        pytest.raises(CnbenchError, match="no scheduler answers"),
        connected(address.replace("tls:", "tcp:"), None),
    ):
        pass
