"""Partial syncs in the real kernel: they must end where a full sync from empty does."""

import re
from dataclasses import replace

import pytest
from conftest import held_namespace, require
from test_proxy_programs import MIXED

from cnbench.core.errors import KernelError
from cnbench.lab.long_work import LongWork
from cnbench.proxy import (
    Endpoint,
    Node,
    ServiceError,
    ServiceKey,
    ServicePort,
    open_proxy,
    synthetic_services,
)
from cnbench.proxy.iptables import loader as iptables_loader
from cnbench.proxy.nftables import loader as nftables_loader

pytestmark = pytest.mark.real

NODE = Node(pod_cidr="10.0.0.0/8", address="192.168.0.2")
COMMANDS = {
    "iptables": ("iptables-legacy-restore", ["iptables-legacy-save"]),
    "iptables-nft": ("iptables-nft-restore", ["iptables-nft-save"]),
    "nftables": ("nft", ["nft", "-s", "list", "ruleset"]),
}


@pytest.fixture(params=COMMANDS)
def mode(request):
    require("nsenter", "unshare", COMMANDS[request.param][0])
    return request.param


@pytest.fixture(autouse=True)
def stale_chains_go_at_once(monkeypatch):
    monkeypatch.setattr(nftables_loader, "_STALE_SECONDS", 0.0)


def dump(mode, namespace):
    """The rules that are loaded, chain by chain; the order of chains says nothing."""
    text = namespace.run(COMMANDS[mode][1]).stdout
    if mode == "nftables":
        blocks = re.split(r"\n\t(?=set|map|chain)", text)
        return sorted(block.strip("\n\t }") for block in blocks)
    lines = [line for line in text.splitlines() if line.startswith("-A")]
    return sorted(lines, key=lambda line: line.split()[1])


def dump_of_full_sync(mode, services):
    with held_namespace() as fresh:
        open_proxy(mode, fresh, NODE).sync(services)
        return dump(mode, fresh)


def with_endpoint(service, address):
    port = replace(service.ports[0], endpoints=(Endpoint(address, 8080),))
    return replace(service, ports=(port,))


FIRST, SECOND, THIRD, FOURTH = synthetic_services(4, 2)
CHANGES = {
    "one added": ([FIRST, SECOND], [THIRD], [], [FIRST, SECOND, THIRD]),
    "one endpoint changed": (
        [FIRST, SECOND],
        [with_endpoint(FIRST, "10.200.0.9")],
        [],
        [with_endpoint(FIRST, "10.200.0.9"), SECOND],
    ),
    "nothing changed": ([FIRST, SECOND], [], [], [FIRST, SECOND]),
    "one deleted": ([FIRST, SECOND, THIRD], [], [SECOND.key], [FIRST, THIRD]),
    "the last endpoint lost": (
        [FIRST, SECOND],
        [replace(FIRST, ports=(ServicePort(80, name="p80"),))],
        [],
        [replace(FIRST, ports=(ServicePort(80, name="p80"),)), SECOND],
    ),
    "every kind of service added": ([FIRST], MIXED, [], [FIRST, *MIXED]),
    "every kind of service deleted": (
        [FIRST, *MIXED],
        [],
        [service.key for service in MIXED],
        [FIRST],
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_an_update_ends_where_a_full_sync_does(mode, lone_namespace, change):
    before, changed, deleted, after = CHANGES[change]
    proxy = open_proxy(mode, lone_namespace, NODE)
    proxy.sync(before)
    proxy.update(changed=changed, deleted=deleted)
    proxy.update()  # nftables mode deletes the chains that were emptied one update later
    assert dump(mode, lone_namespace) == dump_of_full_sync(mode, after)


def test_a_second_full_sync_ends_where_the_first_would(mode, lone_namespace):
    proxy = open_proxy(mode, lone_namespace, NODE)
    proxy.sync([FIRST, *MIXED])
    proxy.sync([SECOND, FIRST])
    proxy.update()
    assert dump(mode, lone_namespace) == dump_of_full_sync(mode, [SECOND, FIRST])


def sticky_services(count, endpoints):
    return synthetic_services(count, endpoints, affinity_seconds=10800)


@pytest.mark.parametrize(
    "services",
    [
        synthetic_services(5, 2),
        sticky_services(5, 3),
        [*MIXED, FIRST],
        synthetic_services(2, 600),  # more than one netlink message holds
        [],
    ],
    ids=["plain", "sticky", "every kind", "many endpoints", "none"],
)
def test_filling_ends_where_a_full_sync_does(mode, services, lone_namespace, monkeypatch):
    monkeypatch.setattr(nftables_loader, "_FILL_BATCH", 4)
    monkeypatch.setattr(nftables_loader, "_SPREAD_BATCH", 2)
    monkeypatch.setattr(iptables_loader, "_FILL_BATCH", 4)
    open_proxy(mode, lone_namespace, NODE).fill(services)
    assert dump(mode, lone_namespace) == dump_of_full_sync(mode, services)


def test_what_was_filled_can_be_updated(mode, lone_namespace):
    proxy = open_proxy(mode, lone_namespace, NODE)
    proxy.fill([FIRST, SECOND])
    proxy.update(changed=[THIRD], deleted=[SECOND.key])
    proxy.update()
    assert dump(mode, lone_namespace) == dump_of_full_sync(mode, [FIRST, THIRD])


def test_filling_what_is_not_empty_says_which_rule_failed(lone_namespace):
    require("nsenter", "unshare", "nft")
    open_proxy("nftables", lone_namespace, NODE).fill([FIRST])
    with pytest.raises(KernelError, match=r"svc-1.* numgen random mod 2 .*: File exists"):
        open_proxy("nftables", lone_namespace, NODE).fill([SECOND])


def test_filling_tells_how_far_it_is(lone_namespace, monkeypatch):
    require("nsenter", "unshare", "nft")
    monkeypatch.setattr(nftables_loader, "_FILL_BATCH", 4)
    monkeypatch.setattr(nftables_loader, "_SPREAD_BATCH", 2)
    monkeypatch.setattr(LongWork, "LEAST", 3)
    told, work = [], LongWork()
    with work.told_to(told.append):
        open_proxy("nftables", lone_namespace, NODE, work=work).fill([FIRST, SECOND, THIRD])
    assert told == [
        *(f"{done} of 3 services' chains" for done in (2, 3)),
        *(f"{done} of 3 services' last rules" for done in (1, 2, 3)),
    ]


def test_deleting_what_was_never_there_names_it(mode, lone_namespace):
    proxy = open_proxy(mode, lone_namespace, NODE)
    with pytest.raises(ServiceError, match="no/such"):
        proxy.update(deleted=[ServiceKey("no", "such")])


def test_what_was_announced_is_synced_the_same(mode, lone_namespace):
    proxy = open_proxy(mode, lone_namespace, NODE)
    proxy.announce(MIXED)
    proxy.sync(MIXED)
    assert dump(mode, lone_namespace) == dump_of_full_sync(mode, MIXED)


def test_what_was_announced_does_not_stand_for_other_services(lone_namespace):
    proxy = open_proxy("iptables", lone_namespace, NODE)
    proxy.announce(MIXED)
    others = synthetic_services(3, 2)
    proxy.sync(others)
    assert dump("iptables", lone_namespace) == dump_of_full_sync("iptables", others)
