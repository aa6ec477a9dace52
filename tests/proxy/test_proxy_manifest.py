"""Services from files: what each field becomes, and how what is wrong is refused."""

import json
from copy import deepcopy

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from cnbench.core.errors import UsageError
from cnbench.proxy import (
    Endpoint,
    Node,
    Service,
    ServiceError,
    ServicePort,
    TrafficPolicy,
    generate,
    load_services,
    services_from,
    synthetic_services,
    validate,
)

SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "web", "namespace": "shop"},
    "spec": {
        "type": "ClusterIP",
        "clusterIP": "10.96.0.9",
        "clusterIPs": ["10.96.0.9"],
        "ports": [{"name": "http", "port": 80, "protocol": "TCP", "targetPort": 8080}],
    },
}
SLICE = {
    "apiVersion": "discovery.k8s.io/v1",
    "kind": "EndpointSlice",
    "metadata": {
        "name": "web-x",
        "namespace": "shop",
        "labels": {"kubernetes.io/service-name": "web"},
    },
    "addressType": "IPv4",
    "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}],
    "endpoints": [
        {"addresses": ["10.244.0.9"], "nodeName": "one", "conditions": {"ready": True}},
        {"addresses": ["10.244.0.10"], "nodeName": "two"},
    ],
}


def service(**spec):
    changed = deepcopy(SERVICE)
    changed["spec"] |= spec
    return changed


def endpoint_slice(**fields):
    return deepcopy(SLICE) | fields


def test_a_service_and_its_slice():
    assert services_from([SERVICE, SLICE], Node(name="two")) == [
        Service(
            "shop",
            "web",
            "10.96.0.9",
            (
                ServicePort(
                    80,
                    (Endpoint("10.244.0.10", 8080, local=True), Endpoint("10.244.0.9", 8080)),
                    "http",
                ),
            ),
        )
    ]


def test_every_field_kube_proxy_looks_at():
    full = service(
        type="LoadBalancer",
        sessionAffinity="ClientIP",
        sessionAffinityConfig={"clientIP": {"timeoutSeconds": 300}},
        externalIPs=["192.0.2.1", "2001:db8::1"],
        loadBalancerSourceRanges=[" 203.0.113.0/24 "],
        internalTrafficPolicy="Local",
        externalTrafficPolicy="Local",
        healthCheckNodePort=30900,
        ports=[{"port": 53, "protocol": "UDP", "nodePort": 30053}],
    )
    full["status"] = {
        "loadBalancer": {"ingress": [{"ip": "198.51.100.1"}, {"ip": "9.9.9.9", "ipMode": "Proxy"}]}
    }
    (found,) = services_from([full])
    assert found == Service(
        "shop",
        "web",
        "10.96.0.9",
        (ServicePort(53, (), "", "udp", 30053),),
        affinity_seconds=300,
        external_ips=("192.0.2.1",),
        load_balancer_ips=("198.51.100.1",),
        source_ranges=("203.0.113.0/24",),
        internal_policy=TrafficPolicy.LOCAL,
        external_policy=TrafficPolicy.LOCAL,
        health_check_node_port=30900,
    )


def test_conditions_decide_what_an_endpoint_is():
    conditions = {"ready": False, "serving": True, "terminating": True}
    endpoints = [{"addresses": ["10.0.0.1"], "conditions": conditions}]
    (found,) = services_from([SERVICE, endpoint_slice(endpoints=endpoints)])
    (endpoint,) = found.ports[0].endpoints
    assert (endpoint.ready, endpoint.serving, endpoint.terminating) == (False, True, True)


def test_an_endpoint_of_two_slices_is_one():
    assert services_from([SERVICE, SLICE, SLICE]) == services_from([SERVICE, SLICE])


def test_slices_of_other_ports_protocols_and_services_do_not_count():
    others = [
        endpoint_slice(ports=[{"name": "https", "port": 8443}]),
        endpoint_slice(ports=[{"name": "http", "port": 8080, "protocol": "UDP"}]),
        endpoint_slice(metadata=SLICE["metadata"] | {"namespace": "elsewhere"}),
        endpoint_slice(addressType="FQDN", endpoints=[{"addresses": ["example.org"]}]),
    ]
    (found,) = services_from([SERVICE, *others])
    assert found.ports[0].endpoints == ()


def test_headless_services_are_kept_and_external_names_are_not():
    external = service(type="ExternalName", externalName="example.org", clusterIP=None)
    headless = service(clusterIP="None", clusterIPs=["None"])
    (found,) = services_from([external, headless])
    assert found.headless


def test_a_service_of_two_families_gives_its_ipv4_half():
    both = service(clusterIP="fd00::9", clusterIPs=["fd00::9", "10.96.0.9"])
    six = endpoint_slice(addressType="IPv6", endpoints=[{"addresses": ["fd00::1"]}])
    (found,) = services_from([both, six, SLICE])
    assert found.cluster_ip == "10.96.0.9"
    assert len(found.ports[0].endpoints) == 2
    validate([found], mode="iptables")


@pytest.mark.parametrize("shape", ["json list", "kubectl list", "yaml", "yaml documents"])
def test_files_of_every_shape(tmp_path, shape):
    objects = [SERVICE, SLICE]
    listed = {"apiVersion": "v1", "kind": "List", "items": objects}
    text = {
        "json list": json.dumps(objects),
        "kubectl list": json.dumps(listed),
        "yaml": yaml.safe_dump(listed),
        "yaml documents": "---\n" + yaml.safe_dump_all(objects) + "---\n",
    }[shape]
    path = tmp_path / "services"
    path.write_text(text)
    assert load_services(path, mode="nftables").services == services_from(objects)


BAD = {
    "a port out of range": (
        [service(ports=[{"name": "http", "port": 70000}])],
        r"service shop/web:http: port 70000 is not between 1 and 65535",
    ),
    "a node port out of range": (
        [service(ports=[{"name": "http", "port": 80, "nodePort": -1}])],
        r"service shop/web:http, node port: port -1",
    ),
    "an endpoint without an address": (
        [SERVICE, endpoint_slice(endpoints=[{"addresses": []}])],
        r"EndpointSlice shop/web-x, endpoints\[0\]: has no address",
    ),
    "an endpoint without a port": (
        [SERVICE, endpoint_slice(ports=[{"name": "http"}])],
        r"service shop/web:http, endpoint 10.244.0.10: port 0",
    ),
    "a duplicate cluster IP and port": (
        [SERVICE, SERVICE | {"metadata": {"name": "other"}}],
        r"service default/other:http: 10.96.0.9:80/tcp is already that of service shop/web:http",
    ),
    "a duplicate node port": (
        [
            service(ports=[{"port": 80, "nodePort": 30080}]),
            service(clusterIPs=["10.96.0.8"], ports=[{"port": 81, "nodePort": 30080}])
            | {"metadata": {"name": "other"}},
        ],
        r"node port 30080/tcp is already that of service shop/web",
    ),
    "a service defined twice": ([SERVICE, SERVICE], r"service shop/web: defined twice"),
    "no cluster IP": (
        [service(clusterIP="", clusterIPs=[])],
        r"Service shop/web: has no clusterIP",
    ),
    "no port": ([service(ports=[])], r"service shop/web: has no port"),
    "a port that is a text": (
        [service(ports=[{"port": "80"}])],
        r"Service shop/web, spec, ports\[0\]: port is '80', not a whole number",
    ),
    "an unknown protocol": (
        [service(ports=[{"port": 80, "protocol": "ICMP"}])],
        r"service shop/web: protocol 'icmp' is none of tcp, udp, sctp",
    ),
    "a name that is a rule": (
        [SERVICE | {"metadata": {"name": "x -j ACCEPT\n-A KUBE-SERVICES"}}],
        r"is not a name",
    ),
    "a source range that is none": (
        [service(loadBalancerSourceRanges=["everywhere"])],
        r"Service shop/web: loadBalancerSourceRanges has 'everywhere', which is no range",
    ),
    "an affinity beyond a day": (
        [
            service(
                sessionAffinity="ClientIP",
                sessionAffinityConfig={"clientIP": {"timeoutSeconds": 86401}},
            )
        ],
        r"service shop/web: session affinity of 86401 s",
    ),
    "an unknown policy": (
        [service(internalTrafficPolicy="Near")],
        r"Service shop/web: internalTrafficPolicy is 'Near', not Cluster or Local",
    ),
    "another kind": ([{"kind": "Pod", "metadata": {"name": "x"}}], r"Pod default/x: only Service"),
    "a slice of no service": (
        [SERVICE, endpoint_slice(metadata={"name": "lost"})],
        r"EndpointSlice default/lost: has no label kubernetes.io/service-name",
    ),
    "two ports of one name": (
        [service(ports=[{"port": 80}, {"port": 81}])],
        r"service shop/web: 2 ports have the name ''",
    ),
}


@pytest.mark.parametrize("bad", BAD)
def test_bad_files_are_refused_by_the_objects_name(tmp_path, bad):
    objects, message = BAD[bad]
    path = tmp_path / "services.json"
    path.write_text(json.dumps(objects))
    with pytest.raises(ServiceError, match=message):
        load_services(path, mode="iptables")


@pytest.mark.parametrize(
    "text", ["{", "a: [", "\x00", "- &a [*a]", "[" * 100_000, "just words", "42"]
)
def test_files_of_something_else_are_refused(tmp_path, text):
    path = tmp_path / "services"
    path.write_text(text)
    with pytest.raises(UsageError):
        load_services(path, mode="iptables")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ServiceError, match="absent"):
        load_services(tmp_path / "absent", mode="iptables")


def fields_of(value):
    if isinstance(value, dict):
        return set(value) | {name for each in value.values() for name in fields_of(each)}
    if isinstance(value, list):
        return {name for each in value for name in fields_of(each)}
    return set()


NAMES = sorted(fields_of([SERVICE, SLICE]) | {"items", "status", "loadBalancer", "ingress", "ip"})
ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from(["Service", "EndpointSlice", "ClientIP", "None", "10.0.0.1", "fd00::1"])
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=5)
    ),
    max_leaves=20,
)


@given(ANYTHING)
def test_whatever_is_in_a_file_is_read_or_refused(parsed):
    try:
        services = services_from([parsed])
        validate(services, mode="iptables")
    except ServiceError:
        return
    generate("nftables", services)


def put(value, path, new):
    """The same objects with another value somewhere within."""
    if not path:
        return new
    changed = deepcopy(value)
    holder = changed
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = new
    return changed


def paths_of(value, here=()):
    yield here
    if isinstance(value, dict | list):
        steps = value.items() if isinstance(value, dict) else enumerate(value)
        for step, each in steps:
            yield from paths_of(each, (*here, step))


@given(st.sampled_from(list(paths_of([SERVICE, SLICE]))), ANYTHING)
def test_anything_anywhere_in_a_good_file_is_read_or_refused(path, new):
    try:
        services = services_from([put([SERVICE, SLICE], path, new)])
        validate(services, mode="ipvs")
    except ServiceError:
        return
    for mode in ("iptables", "nftables", "ipvs"):
        generate(mode, services)


def test_synthetic_services_are_valid_and_the_same_every_time():
    services = synthetic_services(300, 3)
    validate(services, mode="iptables")
    assert services == synthetic_services(300, 3)
    assert services[299].cluster_ip == "10.96.2.43"
    assert str(services[299].ports[0].endpoints[2]) == "10.128.4.131:8080"


@pytest.mark.parametrize(("count", "endpoints"), [(-1, 1), (1, -1), (2_000_000, 0), (50_000, 200)])
def test_more_services_than_the_ranges_hold_are_refused(count, endpoints):
    with pytest.raises(UsageError, match=str(count)):
        synthetic_services(count, endpoints)
