"""Chain names against the check values of kube-proxy's own tests."""

from base64 import b32encode
from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from cnbench.proxy import Endpoint, Service, ServicePort, names
from cnbench.proxy.iptables import program as iptables
from cnbench.proxy.nftables import program as nftables

SERVICE = Service("ns1", "svc1", "172.30.0.41", (ServicePort(80, name="p80"),))
PORT = SERVICE.ports[0]
ENDPOINT = Endpoint("10.180.0.1", 80)


def test_iptables_names_are_kube_proxys():
    assert iptables.internal_chain(SERVICE, PORT) == "KUBE-SVC-XPGD46QRK7WJZT7O"
    assert iptables.endpoint_chain(SERVICE, PORT, ENDPOINT) == "KUBE-SEP-SXIVWICOYRO3J4NJ"


def test_nftables_names_are_kube_proxys():
    assert nftables.internal_chain(SERVICE, PORT) == "service-ULMVA6XW-ns1/svc1/tcp/p80"
    assert (
        nftables.endpoint_chain(SERVICE, PORT, ENDPOINT)
        == "endpoint-5OJB2KTY-ns1/svc1/tcp/p80__10.180.0.1/80"
    )


def test_a_port_without_a_name_has_no_colon():
    assert SERVICE.port_name(ServicePort(80)) == "ns1/svc1"


@given(st.text())
def test_hashes_are_the_first_characters_of_base32(text):
    expected = b32encode(sha256(text.encode()).digest()).decode()
    assert names.iptables_hash(text) == expected[:16]
    assert names.nft_name_base(text).startswith(expected[:8] + "-")


def test_long_nftables_names_are_cut_with_dots():
    name = names.nft_name_base("n" * 300)
    assert len(name) == 240
    assert name.endswith("...")


@given(st.lists(st.text(), max_size=40))
def test_many_hashes_at_once_are_those_of_each(texts):
    assert names.iptables_hashes(texts) == [names.iptables_hash(text) for text in texts]
