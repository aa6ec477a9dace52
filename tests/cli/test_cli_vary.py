"""``cnbench compare --vary`` with more than two, and ``--services-from``: what is asked of them."""

import json

import pytest
from test_cli_services import OBJECTS

from cnbench.cli.measure.own_services import with_own_services
from cnbench.core.errors import UsageError
from cnbench.core.run import Request
from cnbench.measuring.plan import Plan
from cnbench.store import run_file

QUICK = ("-p", "pace=1ms", "--lab", "host", "--budget", "2s")


@pytest.fixture
def compare(cnbench):
    return lambda *arguments: cnbench("compare", "made-up", *arguments, *QUICK)


def test_each_variant_is_held_against_the_first(compare):
    done = compare("--vary", "size=3,1,2", "-p", "mode=a", "--json")
    rows = json.loads(done.out)["rows"]
    pairs = [(row["reference"]["params"]["size"], row["params"]["size"]) for row in rows]
    assert pairs == [(3, 1), (3, 2)]


def test_one_variant_is_too_few_and_none_alike_is_no_pair(compare):
    compare("--vary", "size=3").failed_in_one_sentence(2, "--vary size=3 names 1 variant")


def test_a_variant_that_failed_leaves_the_others(compare):
    done = compare("--vary", "mode=a,broken,b", "-p", "size=1", "--json")
    assert [row["params"]["mode"] for row in json.loads(done.out)["rows"]] == ["b"]
    assert "the made-up thing broke" in done.err


@pytest.fixture
def mine(tmp_path):
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(OBJECTS))
    return path


def request(**given):
    experiments = ("service-routing",)
    return Request(experiments, False, {"service-routing": given}, "auto", "auto", None, 1)


def test_a_file_of_services_becomes_part_of_the_request(mine, tmp_path):
    asked = with_own_services(request(), services_from=mine, service="shop/web", node="two")
    given = asked.given["service-routing"]
    (name,) = given["cluster"]
    assert name.startswith("mine.json@")
    assert given["service"] == ("shop/web",)
    assert given["services"] == (1,)
    assert list(asked.inputs) == [name]
    again = with_own_services(request(), services_from=mine, service="", node="one")
    assert again.given["service-routing"]["cluster"] != (name,)  # another node is another cluster


@pytest.mark.parametrize(
    ("given", "options", "message"),
    [
        ({}, {"service": "shop/web"}, "--service and --node are of a file's"),
        ({"services": (3,)}, {"file": True}, "--services-from says what services is"),
        ({}, {"file": True, "service": "shop/other"}, "no IPv4 service 'shop/other'"),
        ({}, {"file": True, "node": "three"}, "no endpoint is on a node called 'three'"),
        ({"family": ("ipv6",)}, {"file": True}, "no IPv6 service with a tcp port"),
    ],
)
def test_what_a_file_does_not_have_is_refused_before_anything_is_measured(
    mine, given, options, message
):
    file = mine if options.get("file") else None
    asked = {"service": "", "node": ""} | {k: v for k, v in options.items() if k != "file"}
    with pytest.raises(UsageError, match=message):
        with_own_services(request(**given), services_from=file, **asked)


def test_another_experiment_takes_no_services(mine, cnbench):
    done = cnbench("run", "made-up", "--services-from", mine)
    done.failed_in_one_sentence(2, "--services-from is service-routing's")


def test_a_run_file_holds_the_services_that_it_was_of(mine, results, cnbench):
    done = cnbench(
        *("run", "service-routing", "--services-from", mine, "-p", "mode=nftables"),
        *("-p", "position=first", "--lab", "host", "--budget", "1s"),
    )
    (path,) = results.glob("*.jsonl")
    run = run_file.read(path)
    assert list(run.request.inputs) == list(run.request.given["service-routing"]["cluster"])
    assert done.code in (0, 5)  # 5: this machine has no nftables


def test_a_plan_takes_its_inputs_along():
    assert Plan((), 1, None, 1).inputs == {}
