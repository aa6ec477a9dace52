"""service-change against a real kube-proxy, and its proof against what is not so."""

import pytest

from cnbench.control_plane.binaries import KUBERNETES
from cnbench.control_plane.cluster import NAMESPACE
from cnbench.control_plane.servers.audit import COMPLETE, Line
from cnbench.control_plane.servers.proxy import PROXY, Sync, syncs
from cnbench.core.errors import CnbenchError, UnsupportedError
from cnbench.experiments.service_change import EXPERIMENT
from cnbench.experiments.service_change.grid import STEPS
from cnbench.experiments.service_change.probing import Door
from cnbench.experiments.service_change.steps import Programmed, queued, steps


@pytest.fixture
def opened(built, shared_lab):
    """How to open a subject; those of one number of Services share their cluster."""

    def open_one(change):
        built(KUBERNETES).path(PROXY)
        wanted = {"server": (KUBERNETES,), "change": (change,), "services": (2,)}
        point = EXPERIMENT.grid(False, wanted)[0]
        try:
            EXPERIMENT.require(point, shared_lab)
        except UnsupportedError as error:
            pytest.skip(f"{error}; {error.remedy}")
        return EXPERIMENT.subject(point, shared_lab)

    return open_one


@pytest.mark.real
@pytest.mark.parametrize("change", ["added", "removed"])
def test_a_change_is_followed_to_the_first_packet(opened, change):
    with opened(change) as subject:
        values = subject.sample()
        assert subject.proof().holds, subject.proof().broken
    assert values["whole"] == pytest.approx(sum(values[step] for step in STEPS))
    for metric, value in values.items():
        EXPERIMENT.metric(metric).check(value)


@pytest.mark.real
def test_a_packet_before_the_sync_and_another_sync_are_no_proof(opened, monkeypatch):
    usual = Door.first
    with opened("added") as subject:
        monkeypatch.setattr(Door, "first", lambda *asked: usual(*asked) - 60 * 10**9)
        subject.sample()
        subject.syncs, subject.slices, subject.ways = {2}, {1, 2}, {False}
        assert [check.observed for check in subject.proof().broken] == [
            "{2}", "{1, 2}", "{False}", "['programming']",
        ]  # fmt: skip


def line(resource, at, name, **changes):
    values = {
        "request": f"{resource}-{at}", "stage": COMPLETE, "at": at, "came": at - 5,
        "verb": "update", "resource": resource, "namespace": NAMESPACE, "name": name,
        "user": "somebody", "code": 200,
    }  # fmt: skip
    return Line(**(values | changes))


AUDIT = [line("pods/status", 105, "web", verb="patch"), line("endpointslices", 120, "shop-x7k2p")]
PROGRAMMED = Programmed(queued=125, sync=Sync(130, 160), first=155)


def test_steps_are_the_whole():
    assert steps(AUDIT, "web", "shop", PROGRAMMED) == {
        "whole": 55, "write": 5, "slice": 15, "watch": 5, "wait": 5, "programming": 25, "sync": 30,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (AUDIT[1:], "the change of the pod"),
        (AUDIT[:1], "the change of the slice"),
        ([AUDIT[0], line("endpointslices", 120, "shop-x7k2p", code=409)], "of the slice"),
        ([AUDIT[0], line("endpointslices", 120, "shops-x7k2p")], "of the slice"),
        ([AUDIT[0], line("endpointslices", 120, "shop-x7k2p", verb="delete")], "of the slice"),
    ],
)
def test_a_step_that_the_audit_lacks_is_named(lines, said):
    with pytest.raises(CnbenchError, match=said):
        steps(lines, "web", "shop", PROGRAMMED)


def test_syncs_are_read_from_the_log():
    log = (
        "I0102 00:00:01.000500      17 server.go:650] Version: v1.20.2\n"
        "I0102 00:00:02.500000      17 proxier.go:850] syncProxyRules took 1.5s\n"
        "I0102 00:01:03.000001      17 proxier.go:850] syncProxyRules took 1m2.25ms\n"
        "I0102 00:01:04.000000      17 proxier.go:850] syncProxyRules took 12.5µs\n"
        "I0102 00:01:05.000000      17 proxier.go:8"
    )
    found = syncs(log, 1970)
    assert [one.ended - one.began for one in found] == [1_500_000_000, 60_002_250_000, 12_500]
    assert found[0].ended == 86_400 * 10**9 + 2_500_000_000


def test_when_a_change_was_queued_is_read_to_the_microsecond():
    text = "kubeproxy_sync_proxy_rules_last_queued_timestamp_seconds 1.7644107123456788e+09\n"
    assert abs(queued(text) - 1_764_410_712_345_678_800) < 1000
