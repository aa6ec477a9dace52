"""The namespaces experiment against the real kernel."""

import dataclasses
from pathlib import Path

import pytest

from cnbench.core.errors import UnsupportedError
from cnbench.core.parameter import Point
from cnbench.experiments.namespaces import EXPERIMENT

pytestmark = pytest.mark.real

KINDS = EXPERIMENT.parameter("kind").choices


@pytest.fixture
def open_subject(lab):
    def opened(kind):
        EXPERIMENT.require(Point(kind=kind), lab)
        return EXPERIMENT.subject(Point(kind=kind), lab)

    return opened


@pytest.mark.parametrize("kind", KINDS)
def test_the_kernel_numbers_a_new_namespace_of_each_kind(open_subject, kind):
    with open_subject(kind) as subject:
        assert [subject.sample()["create"] > 0 for _ in range(3)] == [True] * 3
        assert subject.proof().holds


def test_the_proof_fails_where_another_namespace_was_made(open_subject):
    with open_subject("uts") as subject:
        subject.sample()
        assert not dataclasses.replace(subject, links=("ipc",)).proof().holds


def test_the_proof_fails_without_a_sample(open_subject):
    with open_subject("uts") as subject:
        assert not subject.proof().holds


def test_this_process_stays_in_its_namespaces(open_subject):
    before = [link.readlink() for link in sorted(Path("/proc/self/ns").iterdir())]
    with open_subject("all") as subject:
        subject.sample()
    assert [link.readlink() for link in sorted(Path("/proc/self/ns").iterdir())] == before


def test_a_refusal_is_the_machines_limit(lab, monkeypatch):
    def refuse(flags):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("cnbench.lab.libc.unshare", refuse)
    with pytest.raises(UnsupportedError, match="unshare: Operation not permitted"):
        EXPERIMENT.require(Point(kind="net"), lab)
