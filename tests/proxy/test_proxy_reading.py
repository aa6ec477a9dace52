"""What is left out, noted or refused of a cluster's objects, and whose node they are read for."""

import io
import json
import sys
from copy import deepcopy
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from test_proxy_manifest import SERVICE, SLICE, endpoint_slice, service

from cnbench.core.errors import UsageError
from cnbench.proxy import Family, Node, ServiceError, generate, load_services, services_from
from cnbench.proxy.node import Release, node_ports, parse_release
from cnbench.proxy.objects.manifest import read_services

NODE = Node(name="one", address="192.0.2.1", zone="a", pod_cidr="10.244.0.0/16")
OLD, NEW = Release(30), Release(34)


def labelled(value, label):
    changed = deepcopy(value)
    changed["metadata"].setdefault("labels", {})[label] = ""
    return changed


def endpoints(objects, node=NODE):
    (found,) = services_from(objects, node)
    return found.ports[0].endpoints


def hinted(**hints):
    """A slice of one endpoint a hint: what ``one`` is to be led to and away from."""
    behind = [
        {"addresses": [f"10.244.0.{n}"], "hints": {kind: [{"name": name}]}}
        for n, (kind, name) in enumerate(
            ((kind, name) for kind, names in hints.items() for name in names), start=1
        )
    ]
    return endpoint_slice(endpoints=behind)


def near(objects, **node):
    described = {"name": "one", "zone": "a", **node}
    return [e.address for e in endpoints(objects, Node(**described)) if e.near]


@pytest.mark.parametrize("label", ["service-proxy-name", "headless"])
def test_what_is_another_proxys_or_labelled_headless_is_left_out(label):
    label = f"service.kubernetes.io/{label}"
    assert services_from([labelled(SERVICE, label), SLICE]) == []
    assert endpoints([SERVICE, labelled(SLICE, label)]) == ()


def test_hints_for_zones_need_the_annotation_up_to_1_30():
    found = hinted(forZones=["a", "b"])
    plain, asking = SERVICE, deepcopy(SERVICE)
    asking["metadata"]["annotations"] = {"service.kubernetes.io/topology-mode": "Auto"}
    everywhere = ["10.244.0.1", "10.244.0.2"]
    assert near([plain, found], release=OLD) == everywhere
    assert near([asking, found], release=OLD) == ["10.244.0.1"]
    assert near([plain, found], release=Release(31)) == ["10.244.0.1"]
    asking["metadata"]["annotations"] = {"service.kubernetes.io/topology-aware-hints": "Disabled"}
    assert near([asking, found], release=OLD) == everywhere


def test_hints_count_only_where_each_ready_endpoint_has_some_and_one_leads_here():
    found = hinted(forZones=["a", "b"])
    assert near([SERVICE, found], zone="c") == near([SERVICE, found], zone="")
    assert len(near([SERVICE, found], zone="c")) == 2
    found["endpoints"].append({"addresses": ["10.244.0.9"]})
    assert len(near([SERVICE, found])) == 3
    found["endpoints"][-1]["conditions"] = {"ready": False}
    assert near([SERVICE, found]) == ["10.244.0.1", "10.244.0.9"]


def test_hints_for_nodes_count_from_1_34_on_and_need_no_zone():
    found = hinted(forNodes=["one", "two"])
    assert near([SERVICE, found], release=Release(33)) == ["10.244.0.1", "10.244.0.2"]
    assert near([SERVICE, found], release=NEW, zone="") == ["10.244.0.1"]
    assert near([SERVICE, found], release=NEW, name="three") == ["10.244.0.1", "10.244.0.2"]
    program = generate("iptables", services_from([SERVICE, found], Node(name="one")), NODE)
    assert "10.244.0.1" in program
    assert "10.244.0.2" not in program


def test_endpoints_of_headless_services_do_not_make_a_cluster_large():
    many = [{"addresses": [f"10.244.{n >> 8}.{n & 255}"]} for n in range(1100)]
    headless = service(clusterIP="None", clusterIPs=["None"])
    other = json.loads(json.dumps([SERVICE, SLICE]).replace("web", "other"))
    program = generate(
        "iptables", services_from([headless, endpoint_slice(endpoints=many), *other])
    )
    assert '"shop/other:http -> ' in program


@pytest.mark.parametrize("mode", ["iptables", "nftables", "ipvs"])
def test_host_bits_of_a_source_range_are_masked(mode):
    balanced = service(loadBalancerSourceRanges=["198.51.100.7/24", "2001:db8::1/64"])
    balanced["status"] = {"loadBalancer": {"ingress": [{"ip": "203.0.113.1"}]}}
    found = read_services([balanced, SLICE], mode=mode, node=NODE, source="x").services
    assert found[0].source_ranges == ("198.51.100.0/24",)
    assert "198.51.100.0/24" in generate(mode, found, NODE)


def test_an_endpoint_of_two_slices_is_local_if_either_says_so():
    here = {"addresses": ["10.244.0.9"], "nodeName": "one"}
    there = here | {"nodeName": "two"}
    for both in ([here, there], [there, here]):
        slices = [endpoint_slice(endpoints=[each]) for each in both]
        assert [e.local for e in endpoints([SERVICE, *slices])] == [True]


BOTH = service(clusterIP="10.96.0.9", clusterIPs=["10.96.0.9", "FD00::9"])
SIX = endpoint_slice(
    addressType="IPv6", endpoints=[{"addresses": ["fd00:1::1"], "nodeName": "one"}]
)


@pytest.mark.parametrize("mode", ["iptables", "nftables", "ipvs"])
def test_each_family_of_a_dual_stack_file_has_its_half_and_a_note_of_the_other(mode):
    four = read_services([BOTH, SLICE, SIX], mode=mode, node=NODE, source="x")
    assert four.services[0].cluster_ip == "10.96.0.9"
    assert "IPv6 addresses of 1 services and 1 slices are passed over" in four.notes[0]
    assert "fd00" not in generate(mode, four.services, NODE)
    six_node = Node(name="one", family=Family.IPV6, pod_cidr="fd00:1::/64")
    six = read_services([BOTH, SLICE, SIX], mode=mode, node=six_node, source="x")
    assert "--family ipv4" in six.notes[0]
    program = generate(mode, six.services, six_node)
    assert "fd00::9" in program
    assert "[fd00:1::1]:8080" in program
    assert "10.96.0.9" not in program
    assert "10.244" not in program


def test_a_service_of_the_other_family_alone_is_passed_over():
    only = service(clusterIP="fd00::9", clusterIPs=["fd00::9"])
    assert services_from([only, SIX]) == []
    assert endpoints([SERVICE, SIX]) == ()


def test_lists_say_once_of_what_kind_their_objects_are(tmp_path):
    def without_kind(value):
        return {name: each for name, each in value.items() if name not in ("kind", "apiVersion")}

    lists = [
        {"kind": "ServiceList", "apiVersion": "v1", "items": [without_kind(SERVICE)]},
        {"kind": "EndpointSliceList", "items": [without_kind(SLICE)]},
    ]
    path = tmp_path / "lists.yaml"
    path.write_text(yaml.safe_dump_all(lists))
    assert load_services(path, mode="iptables").services == services_from([SERVICE, SLICE])


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_another_encoding_is_named(tmp_path, encoding):
    path = tmp_path / "services.json"
    path.write_bytes(json.dumps(SERVICE).encode(encoding))
    with pytest.raises(ServiceError, match=r"UTF-(16|32)") as raised:
        load_services(path, mode="iptables")
    assert "utf8" in raised.value.remedy


def test_a_mark_before_utf_8_is_no_fault(tmp_path):
    path = tmp_path / "services.json"
    path.write_bytes(json.dumps(SERVICE).encode("utf-8-sig"))
    assert len(load_services(path, mode="iptables").services) == 1


@pytest.mark.parametrize("text", ["", "\n \n", "---\n", "[]", '{"kind": "List", "items": []}'])
def test_an_empty_input_is_an_error(tmp_path, text):
    path = tmp_path / "services"
    path.write_text(text)
    with pytest.raises(ServiceError, match=r"services: (is empty|has no Service)"):
        load_services(path, mode="iptables")


def test_a_dash_is_the_standard_input(monkeypatch):
    stdin = SimpleNamespace(buffer=io.BytesIO(json.dumps([SERVICE, SLICE]).encode()))
    monkeypatch.setattr(sys, "stdin", stdin)
    found = load_services(Path("-"), mode="iptables").services
    assert found == services_from([SERVICE, SLICE])


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"ports": 80}, "Service shop/web, spec: ports is 80, not a list"),
        ({"ports": ["http"]}, r"Service shop/web, spec, ports\[0\] is 'http', not a mapping"),
        ({"ports": [{"port": 80.5}]}, r"ports\[0\]: port is 80.5, not a whole number"),
        ({"ports": [{"port": True}]}, r"ports\[0\]: port is true, not a whole number"),
        ({"clusterIPs": [{}]}, r"spec: clusterIPs\[0\] is a mapping of fields, not a text"),
        ({"sessionAffinity": []}, "spec: sessionAffinity is a list, not a text"),
    ],
)
def test_messages_name_the_object_and_no_types_of_python(spec, message):
    with pytest.raises(ServiceError, match=message) as raised:
        services_from([service(**spec)])
    for word in ("int", "str", "dict", "None", "float", "bool", "<class"):
        assert f" {word}" not in str(raised.value)


def test_an_object_without_a_name_is_told_by_its_place():
    with pytest.raises(ServiceError, match=r"object 2, Service: has no metadata\.name"):
        services_from([SERVICE, {"kind": "Service"}])


def test_an_address_cannot_smuggle_in_a_rule():
    smuggling = endpoint_slice(
        addressType="IPv6", endpoints=[{"addresses": ["fe80::1%x\n-A KUBE-SERVICES"]}]
    )
    node = Node(family=Family.IPV6)
    with pytest.raises(ServiceError, match="is not an IP address"):
        read_services([BOTH, smuggling], mode="iptables", node=node, source="x")


def test_what_is_unknown_of_the_node_is_noted():
    local = service(
        type="NodePort", externalTrafficPolicy="Local", ports=[{"port": 80, "nodePort": 30080}]
    )
    unknown = read_services(
        [local, hinted(forZones=["a", "b"])], mode="ipvs", node=Node(), source="x"
    ).notes
    assert [note for note in unknown if "--node" in note and "local" in note]
    assert [note for note in unknown if "--node-address" in note]
    assert [note for note in unknown if "--zone (a, b)" in note]
    assert not read_services([local, SLICE], mode="ipvs", node=NODE, source="x").notes


def test_where_a_nodes_ports_answer():
    node = Node(address="192.0.2.1", more_addresses=("198.51.100.1",))
    assert node_ports(node).everywhere
    chosen = Node(
        address="192.0.2.1",
        more_addresses=("198.51.100.1",),
        node_port_addresses=("198.51.100.0/24", "127.0.0.0/8", "::/0"),
    )
    assert node_ports(chosen).addresses == ("127.0.0.1", "198.51.100.1")
    assert node_ports(chosen).but_loopback == ("198.51.100.1",)
    assert node_ports(chosen).localhost
    assert "KUBE-FIREWALL" in generate("iptables", [], chosen)
    without = Node(address="192.0.2.1", node_port_addresses=("192.0.2.0/24",))
    assert "KUBE-FIREWALL" not in generate("iptables", [], without)


def test_releases_are_followed_or_refused():
    assert parse_release("v1.34.2") == parse_release("1.34") == NEW
    for text in ("1.29", "1.99", "2.30", "latest", "1", ""):
        with pytest.raises(UsageError, match="is not followed here"):
            parse_release(text)
