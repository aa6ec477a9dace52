"""Golden verdicts and exit codes of `cnbench compare`, from runs that were never measured."""

import dataclasses
import json
import random
from types import SimpleNamespace

import made_up
import pytest

from cnbench.cli.measure import live
from cnbench.experiments.registry import experiment_called
from cnbench.store import run_file


def noisy(centre, spread=0.002, blocks=30, seed=1):
    draw = random.Random(seed)
    return [centre * (1 + draw.gauss(0, spread)) for _ in range(blocks)]


def run_of(values, twin, identity, **changes):
    one = made_up.result(values, twin=twin)
    return dataclasses.replace(made_up.run(one, identity=identity), **changes)


@pytest.fixture
def compare(cnbench, results):
    def call(b, *options, a=None):
        a = a or run_of(noisy(1.0, seed=1), noisy(1.0, seed=2), "20260101-000000-aaaa")
        for run in (a, b):
            run_file.write(run, results / f"{run.id}.json")
        done = cnbench("compare", "latest~1", "latest", *options)
        assert "Traceback" not in done.err
        return done

    return call


def later(centre, spread=0.002, blocks=30):
    values, twin = (noisy(centre, spread, blocks, seed) for seed in (3, 4))
    return run_of(values, twin, "20260102-000000-bbbb")


@pytest.mark.parametrize(
    ("b", "options", "verdict", "code"),
    [
        (later(1.0), (), "equivalent", 0),
        (later(1.1), (), "worse", 1),
        (later(0.9), (), "better", 0),
        (later(1.1), ("--fail-on", "20%"), "equivalent", 0),
        (later(1.1), ("--fail-on", "5%"), "worse", 1),
        (later(1.04), ("--fail-on", "0.1%"), "worse", 1),
        (later(1.01), ("--fail-on", "0.1%"), "inconclusive", 3),  # as two runs of the same may be
        (later(1.01), ("--fail-on", "0.1%", "--floor", "0.5%"), "worse", 1),
        (later(1.02), (), "inconclusive", 3),  # the interval lies across the margin
        (later(1.0, spread=0.2), (), "inconclusive", 3),  # the noise is above the margin
        (later(1.0, blocks=3), (), "inconclusive", 3),  # too few blocks for an interval
        (later(1.1, blocks=3), (), "inconclusive", 3),
    ],
)
def test_the_exit_code_is_the_verdict(compare, b, options, verdict, code):
    done = compare(b, *options)
    assert done.out.splitlines()[-1] == verdict
    assert done.code == code
    as_json = compare(b, *options, "--json")
    assert as_json.code == code
    found = json.loads(as_json.out)
    assert found["verdict"] == verdict
    (row,) = found["rows"]
    assert row["verdict"] == verdict
    assert row["reason"]
    if len(b.cases[0].samples) >= 6:
        assert row["low"] <= row["ratio"] <= row["high"]
    else:
        assert row["high"] is None  # no number is made up where there is no bound


def repeated(centre, identity, clock="wall"):
    one = made_up.result(noisy(centre, seed=7), twin=noisy(centre, seed=8))
    case = dataclasses.replace(one.case, clock=clock)
    samples = tuple(
        dataclasses.replace(sample, block=block, repeat=repeat)
        for repeat in range(3)
        for block, sample in enumerate(made_up.samples(noisy(centre, seed=10 + repeat)))
    )
    here = dataclasses.replace(made_up.HERE, clock=clock)
    whole = dataclasses.replace(one, case=case, samples=samples)
    return made_up.run(whole, identity=identity, fingerprint=here)


@pytest.mark.parametrize(("clock", "said"), [("wall", True), ("instructions", False)])
def test_that_repeats_alone_tell_what_runs_differ_by_is_said(compare, results, clock, said):
    a, b = (
        dataclasses.replace(repeated(1.0, name, clock), started=f"2026-01-0{day}T00:00:00+00:00")
        for day, name in ((8, "20260108-000000-aaaa"), (9, "20260109-000000-bbbb"))
    )
    alone = "their own repeats alone"
    assert (alone in " ".join(compare(b, a=a).out.split())) is said
    before = dataclasses.replace(
        repeated(1.0, "20260107-000000-cccc", clock), started="2026-01-07T00:00:00+00:00"
    )
    run_file.write(before, results / f"{before.id}.json")
    assert alone not in " ".join(compare(b, a=a).out.split())


def test_worse_outweighs_better_and_inconclusive(compare):
    a, b = (
        made_up.run(
            made_up.result(noisy(1.0, seed=1), "a", group=0, twin=noisy(1.0, seed=2)),
            made_up.result(noisy(second, seed=3), "b", group=0),
            identity=identity,
        )
        for second, identity in ((1.0, "20260101-000000-aaaa"), (1.3, "20260102-000000-bbbb"))
    )
    assert compare(b, a=a).code == 1


def test_different_environments_are_not_compared_unless_forced(compare):
    fingerprint = dataclasses.replace(made_up.HERE, kernel="6.2.0")
    b = made_up.run(*later(1.1).cases, identity="20260102-000000-bbbb", fingerprint=fingerprint)
    compare(b).failed_in_one_sentence(4, "kernel: 6.1.0 and 6.2.0", "--force")
    forced = compare(b, "--force")
    assert forced.code == 1
    assert "kernel: 6.1.0 → 6.2.0" in forced.err
    assert json.loads(compare(b, "--force", "--json").out)["verdict"] == "worse"


def test_another_tool_is_told_and_compared(compare):
    fingerprint = dataclasses.replace(made_up.HERE, tools={"python": "3.13"})
    b = made_up.run(*later(1.0).cases, identity="20260102-000000-bbbb", fingerprint=fingerprint)
    done = compare(b)
    assert done.code == 0
    assert "tools: python: 3.11 → 3.13" in done.err


def test_runs_without_a_common_case_are_bad_input(compare):
    other = made_up.result(noisy(1.0), "b", size=9)
    b = made_up.run(other, identity="20260102-000000-bbbb")
    compare(b).failed_in_one_sentence(2, "have no case in common")


def test_a_case_that_was_not_proven_is_not_compared(compare):
    b = later(1.0)
    failed = dataclasses.replace(b.cases[0], status="failed", reason="not proven")
    compare(dataclasses.replace(b, cases=[failed])).failed_in_one_sentence(2, "no case in common")


def test_an_error_is_compared_by_its_distance_from_zero(compare):
    def signed(centre, identity):
        draw = random.Random(identity)
        values, twin = ([centre + draw.gauss(0, 0.001) for _ in range(30)] for _ in "ab")
        one = made_up.result(values, metric="error", twin=twin)
        return made_up.run(one, identity=identity, metrics=(made_up.ERROR,))

    a = signed(0.2, "20260101-000000-aaaa")
    assert compare(signed(-0.2, "20260102-000000-bbbb"), a=a).code == 0
    assert compare(signed(-0.3, "20260102-000000-bbbb"), a=a).code == 1
    assert compare(signed(0.05, "20260102-000000-bbbb"), a=a).out.splitlines()[-1] == "better"


@pytest.fixture
def kernels(monkeypatch):
    """Kernels that are built, by what they are asked for as."""
    releases = {"old": "6.1.0", "newer": "6.12.0", "new": "7.2.0"}
    built = {name: SimpleNamespace(release=release) for name, release in releases.items()}
    monkeypatch.setattr(live, "built_kernel", built.get)


def eras_of(experiment, *kernels):
    live._refuse_two_eras(experiment_called(experiment), kernels)


@pytest.mark.parametrize("experiment", ["cpu-quota", "cpu-burst"])
def test_kernels_that_throttle_in_two_ways_are_not_compared(cnbench, kernels, experiment):
    done = cnbench("compare", experiment, "--vary", "kernel=newer,new")
    done.failed_in_one_sentence(4, "7.2.0: each task at its return", "--force")


def test_kernels_of_one_era_or_about_something_else_are(kernels):
    eras_of("cpu-quota", "old", "newer")
    eras_of("cpu-quota", "new", "one that is not built")
    eras_of("copy-up", "newer", "new")


@pytest.mark.parametrize("options", [("--budget", "9s"), ("--lab", "guest"), ("--full",)])
def test_two_runs_are_not_measured_again(compare, options):
    done = compare(later(1.0), *options)
    assert done.code == 2
    assert f"{options[0] if options[0] != '--full' else '--quick'} says how to measure" in done.err
    assert "--vary" in done.err
