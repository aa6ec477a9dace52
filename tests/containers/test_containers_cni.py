"""cni against the real plug-ins, and what they do that surprises."""

import contextlib
import json

import pytest
from subjects import subject_at

from cnbench.containers import cni
from cnbench.containers.cni import Attachment
from cnbench.core.errors import CnbenchError, UnsupportedError
from cnbench.experiments.cni import EXPERIMENT
from cnbench.experiments.cni.grid import PLUGINS, WIRINGS, nonsense
from cnbench.experiments.cni.leaving import await_devices_gone, on_node
from cnbench.experiments.cni.networks import WITHOUT_CHECK, Network

pytestmark = pytest.mark.real


def opened(lab, **changes):
    point = EXPERIMENT.grid(False, {"plugin": ("bridge",)})[0] | changes
    assert nonsense(point) == ""
    return subject_at(EXPERIMENT, point, lab)


@pytest.mark.parametrize(("pods", "parallel"), [(0, 1), (2, 1), (0, 3)])
@pytest.mark.parametrize("plugin", PLUGINS)
def test_every_plugin_connects_a_pod_and_takes_it_away(shared_lab, plugin, pods, parallel):
    if reason := nonsense({"plugin": plugin, "pods": pods, "parallel": parallel}):
        pytest.skip(reason)
    with opened(shared_lab, plugin=plugin, pods=pods, parallel=parallel) as subject:
        values = subject.sample()
        assert subject.sample().keys() == values.keys()
        assert subject.proof().holds, subject.proof().broken
        for metric, value in values.items():
            EXPERIMENT.metric(metric).check(value)
        timed = set(subject.network.timed)
        checked = parallel == 1 and not timed & {*WITHOUT_CHECK, *WIRINGS}
        assert ("check" in values) == checked
        assert {"left", "kept"} & set(values) == ({"left", "kept"} if parallel == 1 else set())
        assert len(subject.proof().checks) >= 2


SABOTAGE = {
    "bridge": (["ip", "-n", "{pod}", "address", "flush", "dev", "eth0"], "answers at its address"),
    "loopback": (["ip", "-n", "{pod}", "link", "set", "lo", "down"], "loopback is up"),
    "portmap": (["iptables", "-t", "nat", "-F"], "the node's port leads to the pod"),
    "firewall": (["iptables", "-F"], "iptables lets the pod pass"),
    "bandwidth": (
        ["tc", "qdisc", "del", "dev", "{end}", "root"],
        "the pod's devices have the rate",
    ),
    "tuning": (
        ["ip", "netns", "exec", "{pod}", "sysctl", "-w", "net.core.somaxconn=9"],
        "the pod's sysctl is set",
    ),
}


@pytest.mark.parametrize("plugin", SABOTAGE)
def test_what_a_plugin_did_not_do_is_no_proof(lab, plugin):
    argv, claim = SABOTAGE[plugin]
    with opened(lab, plugin=plugin) as subject, subject.enclave.pod_namespace() as pod:
        attachment = subject.attach(pod)
        interfaces = attachment.result.get("interfaces", [])
        end = next((one["name"] for one in interfaces if one["name"].startswith("veth")), "")
        subject.enclave.run(*(word.format(pod=pod.name, end=end) for word in argv))
        subject.evidence.connected(pod.network, attachment, subject.port)
        broken = [check.claim for check in subject.proof().broken]
        assert any(claim in one for one in broken), broken


LEFT = {
    "bridge": {"address"}, "host-local": {"address"}, "loopback": set(), "flannel-wiring": set(),
    "portmap": {"rule"}, "firewall": {"rule"}, "bandwidth": {"device"}, "macvlan": {"address"},
}  # fmt: skip


@pytest.mark.parametrize("plugin", LEFT)
def test_what_a_pod_leaves_without_del_is_found_and_gone_after_a_late_one(lab, plugin):
    with opened(lab, plugin=plugin) as subject:
        subject.sample()  # the first pod of a network makes what all have: a bridge, chains
        before = on_node(subject.enclave, subject.network)
        with subject.enclave.pod_namespace() as pod:
            attached = subject.attach(pod)
        await_devices_gone(subject.enclave, attached)
        left = on_node(subject.enclave, subject.network) - before
        kinds = {"rule" if line[0] in "-:" else line.split()[0] for line in left}
        assert LEFT[plugin] <= kinds, left
        if plugin != "flannel-wiring":
            attached.namespace = ""
            attached.delete()
        # The bridge stays, and host-local's last address, as for every pod.
        kept = on_node(subject.enclave, subject.network) - before
        assert {
            line for line in kept if "cni-" not in line and "last_reserved" not in line
        } == set()


def test_addresses_given_at_once_are_all_different(lab):
    with opened(lab, plugin="host-local", parallel=8) as subject:
        subject.sample()
        with contextlib.ExitStack() as stack:
            pods = [stack.enter_context(subject.enclave.pod_namespace()) for _ in range(8)]
            attached = [subject._to_attach(pod) for pod in pods]
            cni.add_together(attached)
            assert len({one.address for one in attached}) == 8
            cni.delete_together(attached)


def test_one_of_several_that_fails_is_told_in_its_words(lab):
    with (
        opened(lab, plugin="bridge", parallel=2) as subject,
        subject.enclave.pod_namespace() as pod,
    ):
        whole, broken = (subject._to_attach(pod) for _ in range(2))
        broken.namespace = "/run/netns/nothing"
        with pytest.raises(CnbenchError, match=r"bridge ADD: .*nothing"):
            cni.add_together([whole, broken])


def test_a_pod_that_was_not_taken_away_is_no_proof(lab):
    with opened(lab, plugin="bridge") as subject, subject.enclave.pod_namespace() as pod:
        attachment = subject.attach(pod)
        subject.evidence.connected(pod.network, attachment, subject.port)
        assert subject.proof().holds
        subject.evidence.gone(pod.network, attachment, subject.port)
        broken = [check.claim for check in subject.proof().broken]
    assert "its address is written down, after DEL" in broken
    assert any("answers at its address" in claim for claim in broken)


@pytest.fixture
def network(lab, enclave):
    """A network of one plug-in, and how to attach a pod to it."""
    try:
        cni.require("bridge")
    except UnsupportedError as error:
        pytest.skip(f"{error}; {error.remedy}")

    def attach(plugin, pod, **settings):
        made = Network(plugin, enclave.folder / "addresses")
        plugins = [dict(one) | settings for one in made.plugins(30001)]
        return Attachment(enclave, pod.name, pod.path, made.name, plugins)

    return attach


def test_the_unlimited_burst_of_containerd_wraps_around(enclave, network):
    """Asked for 2^32 - 1 bits, which containerd means as no limit, at 1 Mbit/s."""
    with enclave.pod_namespace() as pod:
        attachment = network("bandwidth", pod)
        unlimited = {"ingressRate": 1_000_000, "ingressBurst": 2**32 - 1}
        attachment.plugins[-1] = {"type": "bandwidth", **unlimited}
        attachment.add()
        rows = json.loads(enclave.run("tc", "-j", "qdisc", "show").output)
    (burst,) = [row["options"]["burst"] for row in rows if row["kind"] == "tbf"]
    assert burst == 21_474_835


def test_host_local_goes_on_after_the_last_address_that_it_gave(enclave, network):
    addresses = []
    for _ in range(3):
        with enclave.pod_namespace() as pod:
            attachment = network("host-local", pod)
            attachment.add()
            addresses.append(int(attachment.address.rpartition(".")[2]))
            attachment.delete()
    assert addresses == [2, 3, 4]


@pytest.mark.parametrize("plugin", ["bridge", "ptp", "loopback", "host-local"])
def test_a_pod_whose_namespace_is_gone_is_deleted_all_the_same(enclave, network, plugin):
    with enclave.pod_namespace() as pod:
        attachment = network(plugin, pod)
        attachment.add()
        attachment.namespace = ""
        attachment.delete()


def test_portmap_looks_for_rules_of_a_family_that_the_pod_has_not(enclave, network):
    with enclave.pod_namespace() as pod:
        attachment = network("portmap", pod)
        attachment.add()
        with pytest.raises(CnbenchError, match="ipv6 dnat"):
            attachment.check()
        attachment.delete()


def test_a_plugin_says_why_it_refuses(enclave, network):
    with enclave.pod_namespace() as pod:
        attachment = network("bridge", pod, ipam={"type": "host-local", "ranges": []})
        with pytest.raises(CnbenchError, match=r"bridge ADD: .*range"):
            attachment.add()


def test_check_finds_what_is_no_longer_there(enclave, network):
    with enclave.pod_namespace() as pod:
        attachment = network("bridge", pod)
        attachment.add()
        attachment.check()
        enclave.run("ip", "-n", pod.name, "address", "flush", "dev", "eth0")
        with pytest.raises(CnbenchError, match="bridge CHECK"):
            attachment.check()
