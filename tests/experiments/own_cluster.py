"""A cluster somebody might have: all kinds of services, on three nodes, of two families."""

import json
import sys

NODES = ("worker-0", "worker-1", "worker-2")


def objects(count):
    """Service and EndpointSlice objects of ``count`` services."""
    return [each for number in range(count) for each in _service(number)]


def _service(number):
    kind = ("ClusterIP", "NodePort", "LoadBalancer", "ClusterIP", "NodePort")[number % 5]
    name, four, six = (
        f"app-{number}",
        f"10.43.{number // 200}.{number % 200 + 1}",
        f"{number + 1:x}",
    )
    dual = number % 3 != 1
    spec = {
        "type": kind,
        "clusterIP": four,
        "clusterIPs": [four, f"fd43::{six}"] if dual else [four],
        "ports": [
            {"name": "http", "port": 80, "protocol": "TCP"},
            {"name": "dns", "port": 53, "protocol": "UDP"},
        ],
    }
    if kind != "ClusterIP":
        for nth, port in enumerate(spec["ports"]):
            port["nodePort"] = 30000 + 2 * number + nth
        spec["externalTrafficPolicy"] = "Local" if number % 2 else "Cluster"
    if number % 7 == 0:
        spec["internalTrafficPolicy"] = "Local"
    if number % 4 == 0:
        spec["sessionAffinity"] = "ClientIP"
        spec["sessionAffinityConfig"] = {"clientIP": {"timeoutSeconds": 600}}
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": "shop"},
        "spec": spec,
    }
    if kind == "LoadBalancer":
        spec["loadBalancerSourceRanges"] = ["0.0.0.0/0", "192.0.2.7/24", "::/0"]
        spec["healthCheckNodePort"] = 31500 + number if number % 2 else 0
        address = f"203.0.{number // 200}.{number % 200 + 1}"
        service["status"] = {"loadBalancer": {"ingress": [{"ip": address}]}}
    yield service
    for family in ("IPv4", "IPv6") if dual else ("IPv4",):
        yield {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {
                "name": f"{name}-{family.lower()}",
                "namespace": "shop",
                "labels": {"kubernetes.io/service-name": name},
            },
            "addressType": family,
            "ports": [
                {"name": "http", "port": 8000 + number % 3, "protocol": "TCP"},
                {"name": "dns", "port": 5353, "protocol": "UDP"},
            ],
            "endpoints": [_endpoint(number, nth, family) for nth in range(number % 4)],
        }


def _endpoint(number, nth, family):
    on = (number + nth) % len(NODES)
    high, low = divmod(number * 4 + nth, 250)
    address = (
        f"10.42.{high}.{low + 1}" if family == "IPv4" else f"fd42:0:0:{on}::{high:x}{low + 1:02x}"
    )
    return {
        "addresses": [address],
        "nodeName": NODES[on],
        "zone": "abc"[on],
        "conditions": {"ready": nth != 2, "serving": True, "terminating": nth == 2},
    }


if __name__ == "__main__":
    json.dump({"kind": "List", "items": objects(int(sys.argv[1]))}, sys.stdout)
