"""IPVS mode: the plan, its messages as pyroute2 reads them, and what is kept between updates."""

import re
import socket
import struct
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import require
from pyroute2.netlink.generic.ipvs import ipvsmsg
from test_proxy_programs import MIXED, service

from cnbench.core.errors import KernelError, UnsupportedError, UsageError
from cnbench.proxy import (
    Endpoint,
    Family,
    Node,
    ServicePort,
    TrafficPolicy,
    generate,
    netlink,
    open_proxy,
    synthetic_services,
)
from cnbench.proxy.ipvs import (
    counters as ipvs_counters,
)
from cnbench.proxy.ipvs import (
    loader as ipvs_loader,
)
from cnbench.proxy.ipvs import (
    messages as ipvs_messages,
)
from cnbench.proxy.ipvs import (
    program as ipvs,
)
from cnbench.proxy.ipvs import (
    rules as ipvs_rules,
)

NODE = Node(pod_cidr="10.0.0.0/8", address="192.168.0.2")
FAMILY = 99


def entries(services, node=NODE):
    found = {}
    for name, value in ipvs.plan(services, node).entries:
        found.setdefault(name, set()).add(value)
    return found


def test_sets_hold_what_kube_proxy_puts_there():
    assert entries(MIXED) == {
        "KUBE-CLUSTER-IP": {f"172.30.0.4{n},tcp:80" for n in range(1, 7)},
        "KUBE-EXTERNAL-IP": {"192.168.99.33,tcp:80"},
        "KUBE-EXTERNAL-IP-LOCAL": {"192.168.99.22,tcp:80"},
        "KUBE-LOOP-BACK": {"10.180.0.5,tcp:80,10.180.0.5"},
        "KUBE-LOAD-BALANCER": {"1.2.3.4,tcp:80", "5.6.7.8,tcp:80"},
        "KUBE-LOAD-BALANCER-LOCAL": {"1.2.3.4,tcp:80"},
        "KUBE-LOAD-BALANCER-FW": {"5.6.7.8,tcp:80"},
        "KUBE-LOAD-BALANCER-SOURCE-CIDR": {"5.6.7.8,tcp:80,203.0.113.0/25"},
        "KUBE-NODE-PORT-TCP": {"3001", "3002", "3003"},
        "KUBE-NODE-PORT-LOCAL-TCP": {"3001"},
        "KUBE-HEALTH-CHECK-NODE-PORT": {"30000"},
        "KUBE-IPVS-IPS": {f"172.30.0.4{n}" for n in range(1, 7)}
        | {"192.168.99.22", "192.168.99.33", "1.2.3.4", "5.6.7.8"},
    }


def test_the_program_for_ipvsadm_has_a_line_for_each_server():
    program = ipvs.ipvsadm_program(ipvs.plan([MIXED[3], MIXED[4]], NODE), "wlc")
    assert program.splitlines() == [
        "-A -t 172.30.0.44:80 -s wlc",
        "-a -t 172.30.0.44:80 -r 10.180.0.4:80 -m -w 1",
        "-a -t 172.30.0.44:80 -r 10.180.0.5:80 -m -w 1",
        "-A -t 192.168.99.33:80 -s wlc",
        "-a -t 192.168.99.33:80 -r 10.180.0.4:80 -m -w 1",
        "-a -t 192.168.99.33:80 -r 10.180.0.5:80 -m -w 1",
        "-A -t 172.30.0.45:80 -s wlc -p 10800",
        "-a -t 172.30.0.45:80 -r 10.180.0.3:80 -m -w 1",
        "-A -t 5.6.7.8:80 -s wlc -p 10800",
        "-a -t 5.6.7.8:80 -r 10.180.0.3:80 -m -w 1",
        "-A -t 192.168.0.2:3002 -s wlc -p 10800",
        "-a -t 192.168.0.2:3002 -r 10.180.0.3:80 -m -w 1",
    ]


def test_a_local_policy_without_a_local_endpoint_falls_back_to_the_clusters():
    at = ipvs.VirtualAddress("192.168.99.22", 80, "tcp")
    (behind,) = ipvs.plan([MIXED[1]], NODE).servers[at].real_servers
    assert behind.address == "10.180.0.2"
    local = replace(MIXED[3], external_policy=TrafficPolicy.LOCAL)
    at = ipvs.VirtualAddress("192.168.99.33", 80, "tcp")
    (behind,) = ipvs.plan([local], NODE).servers[at].real_servers
    assert behind.address == "10.180.0.5"


def test_the_iptables_rules_are_as_many_for_one_service_as_for_thousands():
    def rules(count):
        program = generate("ipvs", synthetic_services(count, 2))
        return program.split("# iptables-restore")[1]

    assert rules(1) == rules(3000)
    assert sum(line.startswith("-A") for line in rules(1).split("*filter")[0].splitlines()) == 9


def test_rules_match_only_sets_that_exist():
    filled = set(ipvs.SETS)
    text = ipvs_rules.program(filled, {}, NODE)
    assert set(re.findall(r"--match-set (\S+)", text)) == filled
    assert set(ipvs_rules.COMMENTS) == filled - {"KUBE-IPVS-IPS"}


def test_a_node_outside_the_source_ranges_may_not_reach_the_balancer():
    planned = ipvs.plan([MIXED[4]], NODE)
    rules = ipvs_rules.program(set(), planned.blocked, NODE)
    assert (
        "-A KUBE-IPVS-OUT-FILTER -s 5.6.7.8 -m ipvs --vaddr 5.6.7.8 --vproto tcp --vport 80 -j DROP"
        in rules
    )
    inside = replace(NODE, address="203.0.113.9")
    assert not ipvs.plan([MIXED[4]], inside).blocked
    assert entries([MIXED[4]], inside)["KUBE-LOAD-BALANCER-SOURCE-IP"] == {"5.6.7.8,tcp:80,5.6.7.8"}


def decoded(request):
    header = struct.pack("=IHHII", 16 + len(request.body), FAMILY, 1, 0, 0)
    message = ipvsmsg(header + request.body)
    message.decode()
    return message


def test_pyroute2_reads_a_virtual_server_as_it_was_meant():
    (server,) = ipvs.plan([service(1, "10.0.0.9", affinity_seconds=60)], NODE).servers.values()
    added, real = ipvs_messages.additions(FAMILY, [server], "rr")
    message = decoded(added)
    found = message.get_attr("IPVS_CMD_ATTR_SERVICE")
    assert message["cmd"] == 1
    assert found.get_attr("IPVS_SVC_ATTR_AF") == socket.AF_INET
    assert found.get_attr("IPVS_SVC_ATTR_ADDR") == "172.30.0.41"
    assert found.get_attr("IPVS_SVC_ATTR_PORT") == 80
    assert found.get_attr("IPVS_SVC_ATTR_PROTOCOL") == socket.IPPROTO_TCP
    assert found.get_attr("IPVS_SVC_ATTR_SCHED_NAME") == "rr"
    assert found.get_attr("IPVS_SVC_ATTR_FLAGS")["flags"] == 1
    assert found.get_attr("IPVS_SVC_ATTR_TIMEOUT") == 60
    assert found.get_attr("IPVS_SVC_ATTR_NETMASK") == "255.255.255.255"
    message = decoded(real)
    found = message.get_attr("IPVS_CMD_ATTR_DEST")
    assert message["cmd"] == 5
    assert found.get_attr("IPVS_DEST_ATTR_ADDR_FAMILY") == socket.AF_INET
    assert found.get_attr("IPVS_DEST_ATTR_ADDR") == "10.0.0.9"
    assert found.get_attr("IPVS_DEST_ATTR_PORT") == 80
    assert found.get_attr("IPVS_DEST_ATTR_FWD_METHOD") == 0
    assert found.get_attr("IPVS_DEST_ATTR_WEIGHT") == 1
    assert str(real.about) == "real server 10.0.0.9:80 of the virtual server 172.30.0.41:80/tcp"


def test_a_changed_server_sends_only_what_differs():
    def server(*endpoints, **rest):
        (found,) = ipvs.plan([service(1, *endpoints, **rest)], NODE).servers.values()
        return found

    before = server("10.0.0.1", "10.0.0.2")
    after = server("10.0.0.2", "10.0.0.3", affinity_seconds=9)
    commands = [
        (decoded(request)["cmd"], str(request.about).split()[2].rstrip(","))
        for request in ipvs_messages.changes(FAMILY, before, after, "rr")
    ]
    assert commands == [(2, "172.30.0.41:80/tcp"), (5, "10.0.0.3:80"), (7, "10.0.0.1:80")]
    assert not list(ipvs_messages.changes(FAMILY, before, before, "rr"))


@pytest.mark.real
def test_requests_go_in_batches_and_a_failure_names_its_address(lone_namespace):
    addresses = [f"10.96.{high}.{low}" for high in range(20) for low in range(250)]
    with lone_namespace.entered():
        add = ipvs_messages.address_requests(1, addresses)
        netlink.send_all(socket.NETLINK_ROUTE, add)
        again = ipvs_messages.address_requests(1, ["10.97.0.1", "10.96.0.7", "10.97.0.2"])
        with pytest.raises(KernelError, match=r"address 10\.96\.0\.7 of the IPVS device"):
            netlink.send_all(socket.NETLINK_ROUTE, again)
    listed = lone_namespace.run(["ip", "-o", "-4", "addr", "show", "dev", "lo"]).stdout
    assert set(addresses) <= set(re.findall(r"inet (\S+)/32", listed))
    with lone_namespace.entered():
        gone = ipvs_messages.address_requests(1, addresses, delete=True)
        netlink.send_all(socket.NETLINK_ROUTE, gone)
    left = lone_namespace.run(["ip", "-o", "-4", "addr", "show", "dev", "lo"]).stdout
    assert re.findall(r"inet (\S+)/32", left) == ["10.97.0.1", "10.97.0.2"]


@pytest.mark.real
def test_sets_and_rules_load(lone_namespace):
    require("ipset", "iptables-legacy-restore")
    planned = ipvs.plan(MIXED, replace(NODE, address="203.0.113.9"))
    sets = ipvs.creation_of_sets(Family.IPV4) + ipvs.entries_program(planned.entries, Family.IPV4)
    restore = ["iptables-legacy-restore", "--noflush"]
    lone_namespace.run(["ipset", "restore"], input=sets)
    lone_namespace.run(restore, input=ipvs_rules.base_program())
    filled = {entry.name for entry in planned.entries}
    rules = ipvs_rules.program(filled, planned.blocked, NODE)
    lone_namespace.run([*restore, "--counters"], input=rules)
    saved = lone_namespace.run(["iptables-legacy-save"]).stdout
    assert saved.count("--match-set") == rules.count("--match-set") == 23
    removed = ipvs.entries_program(planned.entries, Family.IPV4, "del")
    lone_namespace.run(["ipset", "restore"], input=removed)
    assert "add " not in lone_namespace.run(["ipset", "save"]).stdout


@pytest.mark.real
def test_a_kernel_without_ipvs_is_told_what_to_do(lone_namespace):
    if Path("/proc/net/ip_vs").exists():
        pytest.skip("this kernel has IPVS")
    with pytest.raises(UnsupportedError, match="IPVS") as raised:
        open_proxy("ipvs", lone_namespace).sync(synthetic_services(1, 1))
    assert "guest" in raised.value.remedy


def test_an_unknown_scheduler_is_refused(lone_namespace):
    with pytest.raises(UsageError, match=r"best.*rr"):
        open_proxy("ipvs", lone_namespace, scheduler="best")


PER_CPU = """\
       Total Incoming Outgoing         Incoming         Outgoing
CPU    Conns  Packets  Packets            Bytes            Bytes
  0        7       15        E              47C              310
  1        A        1        1                1                1
  ~        3       15        E              47C              310

     Conns/s   Pkts/s   Pkts/s          Bytes/s          Bytes/s
           1        2        1               6C               49
"""
TOTAL = """\
   Total Incoming Outgoing         Incoming         Outgoing
   Conns  Packets  Packets            Bytes            Bytes
      11       15        E              47C              310

 Conns/s   Pkts/s   Pkts/s          Bytes/s          Bytes/s
       1        2        1               6C               49
"""


def test_statistics_are_settled_once_the_estimator_has_caught_up(monkeypatch, tmp_path):
    slept = []
    by_cpu, total = tmp_path / "percpu", tmp_path / "total"
    by_cpu.write_text(PER_CPU)
    total.write_text(TOTAL.replace("11", " 3", 1))

    def sleep(seconds):
        slept.append(seconds)
        total.write_text(TOTAL)

    monkeypatch.setattr(ipvs_counters, "_BY_CPU", by_cpu)
    monkeypatch.setattr(ipvs_counters, "_TOTAL", total)
    monkeypatch.setattr(ipvs_counters, "sleep", sleep)
    statistics = ipvs_counters.Statistics()
    statistics.settle()
    assert slept == [0.1, 2.2]
    statistics.settle()
    assert slept == [0.1, 2.2]


class Recorded:
    """A namespace that only notes what would be run in it."""

    def __init__(self):
        self.ran = []

    def run(self, argv, input=None, check=True, timeout=600):
        self.ran.append((argv[0], "".join(input or ())))

    def entered(self):
        return nullcontext()


@pytest.fixture
def kernel(monkeypatch):
    """A kernel that agrees to everything: the requests it was sent."""
    sent = []
    # There is no namespace here: what it would be set to must not reach this machine.
    monkeypatch.setattr(ipvs, "sysctls", lambda family: {})
    monkeypatch.setattr(ipvs_loader, "_ipvs_family", lambda: FAMILY)
    monkeypatch.setattr(ipvs_loader, "_dummy_device", lambda: 7)
    monkeypatch.setattr(
        ipvs_loader,
        "send_all",
        lambda _, requests, answered: sent.extend((r.kind, r.body, str(r.about)) for r in requests),
    )
    return sent


def abouts(sent):
    found = [about for _, _, about in sent]
    sent.clear()
    return found


def test_an_update_sends_only_the_change(kernel):
    namespace = Recorded()
    proxy = open_proxy("ipvs", namespace, NODE)
    proxy.sync([service(1, "10.0.0.1"), service(2, "10.0.0.2")])
    assert len(abouts(kernel)) == 2 + 2 + 2
    namespace.ran.clear()
    proxy.update()
    assert abouts(kernel) == []
    assert [command for command, _ in namespace.ran] == ["iptables-legacy-restore"]
    proxy.update([service(3, "10.0.0.3")])
    assert abouts(kernel) == [
        "virtual server 172.30.0.43:80/tcp",
        "real server 10.0.0.3:80 of the virtual server 172.30.0.43:80/tcp",
        "address 172.30.0.43 of the IPVS device",
    ]
    proxy.update(deleted=[service(3).key])
    assert abouts(kernel) == [
        "deleting the virtual server 172.30.0.43:80/tcp",
        "address 172.30.0.43 of the IPVS device",
    ]


def test_what_two_services_share_stays_until_both_are_gone(kernel):
    shared = Endpoint("10.0.0.1", 80, local=True)
    one, other = (service(n, shared, external_ips=("192.0.2.1",)) for n in (1, 2))
    other = replace(other, ports=(ServicePort(81, (shared,), "p81"),))
    namespace = Recorded()
    proxy = open_proxy("ipvs", namespace, NODE)
    proxy.sync([one, other])
    kernel.clear()
    namespace.ran.clear()
    proxy.update(deleted=[one.key])
    assert "address 192.0.2.1 of the IPVS device" not in abouts(kernel)
    assert "KUBE-LOOP-BACK" not in dict(namespace.ran)["ipset"]
    assert "KUBE-EXTERNAL-IP 192.0.2.1,tcp:80" in dict(namespace.ran)["ipset"]
    proxy.update(deleted=[other.key])
    assert "address 192.0.2.1 of the IPVS device" in abouts(kernel)
    assert "KUBE-LOOP-BACK" not in dict(namespace.ran)["iptables-legacy-restore"]


def test_a_second_sync_deletes_what_is_no_longer_wanted(kernel):
    proxy = open_proxy("ipvs", Recorded(), NODE)
    proxy.sync([service(1, "10.0.0.1"), service(2, "10.0.0.2")])
    kernel.clear()
    proxy.sync([service(2, "10.0.0.2")])
    assert abouts(kernel) == [
        "deleting the virtual server 172.30.0.41:80/tcp",
        "address 172.30.0.41 of the IPVS device",
    ]


@pytest.mark.real
@pytest.mark.parametrize("family", Family)
def test_the_printed_sets_load_in_one_restore(family, lone_namespace):
    require("ipset")
    everything = family.everywhere
    address, allowed = (
        ("192.0.2.9", "10.0.0.0/8") if family is Family.IPV4 else ("fd00::9", "fd00::/8")
    )
    services = [
        replace(
            service(5, Endpoint(address, 80, local=True), node_port=30080),
            cluster_ip=address,
            external_ips=(),
            load_balancer_ips=(address.replace("9", "8"),),
            source_ranges=(everything, allowed),
        )
    ]
    node = Node(address=address.replace("9", "7"), family=family, pod_cidr="")
    program = generate("ipvs", services, node)
    sets = program.split("# ipset restore\n")[1].split("\n# ")[0]
    lone_namespace.run(["ipset", "restore"], input=sets)
    saved = lone_namespace.run(["ipset", "save"]).stdout
    assert saved.count("create ") == len(ipvs.SETS)
    halves = {"0.0.0.0/1", "128.0.0.0/1"} if family is Family.IPV4 else {"::/1", "8000::/1"}
    assert halves | {allowed} == set(re.findall(r"SOURCE-CID\S* \S+,tcp:80,(\S+)", saved))
