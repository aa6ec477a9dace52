"""client-go's informers against real servers, and their proof against what is not so."""

import pytest

from cnbench.control_plane.binaries import APIEXTENSIONS, KUBERNETES, binaries_of
from cnbench.control_plane.informers import PROGRAM, Informers, open_informers
from cnbench.core.errors import CnbenchError, UnsupportedError
from cnbench.experiments.informer import EXPERIMENT

pytestmark = pytest.mark.real


@pytest.fixture
def opened(built, shared_lab):
    """How to open a subject of few objects."""

    def open_one(server=KUBERNETES, **given):
        built(server)
        try:
            binaries_of(APIEXTENSIONS).path(PROGRAM)
        except UnsupportedError as error:
            pytest.skip(f"{error}; {error.remedy}")
        wanted = {"server": server, "objects": 20, "size": 100} | given
        point = EXPERIMENT.grid(False, {name: (value,) for name, value in wanted.items()})[0]
        return EXPERIMENT.subject(point, shared_lab)

    return open_one


@pytest.mark.parametrize("server", [KUBERNETES, APIEXTENSIONS])
@pytest.mark.parametrize("form", ["whole", "stripped", "metadata"])
def test_stores_are_the_servers_after_cuts_and_handlers_are_told_of_everything(
    opened, server, form
):
    with opened(server=server, form=form, informers=2) as subject:
        values = subject.sample()
        assert subject.proof().holds, subject.proof().broken
        assert (subject.cuts, subject.equal) == (2, 2)
    assert 0 < values["queued"] < values["event"]
    for metric, value in values.items():
        EXPERIMENT.metric(metric).check(value)


@pytest.mark.parametrize("source", ["list", "stream"])
def test_stores_are_filled_from_where_it_is_said(opened, source):
    with opened(server=APIEXTENSIONS, form="whole", source=source) as subject:
        subject.sample()
        assert subject.proof().holds, subject.proof().broken
        assert subject.lists == {1 if source == "list" else 0}
        subject.streamed = not subject.streamed
        assert [check.claim for check in subject.proof().broken] == [
            "lists that the server was asked for"
        ]


def test_a_store_that_differs_is_no_proof(opened, monkeypatch):
    usual = Informers.contents

    def without_one(program, number):
        contents = usual(program, number)
        contents.popitem()
        return contents

    with opened(form="whole") as subject:
        monkeypatch.setattr(Informers, "contents", without_one)
        subject.sample()
        assert [check.claim for check in subject.proof().broken] == [
            "equal to the server's after 1 cuts"
        ]


def test_an_event_that_no_handler_was_told_of_is_no_proof(opened, monkeypatch):
    usual = Informers.take
    with opened(form="whole") as subject:
        monkeypatch.setattr(Informers, "take", lambda *asked: usual(*asked)[1:])
        subject.sample()
        assert "1 lost" in subject.proof().broken[0].observed


def test_a_cut_breaks_the_connection(opened):
    with opened(form="whole") as subject, _program(subject) as program:
        assert program.start("whole", 2).objects == 40
        assert program.cut(0) >= 1
        with pytest.raises(CnbenchError, match="there is no informer"):
            program.cut(7)


def _program(subject):
    return open_informers(subject.stock.plane, subject.stock.kind)
