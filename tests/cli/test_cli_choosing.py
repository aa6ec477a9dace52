"""What ``compare`` compares: chosen metrics and cases, which are then all that is judged."""

import dataclasses
import json
import random

import made_up
import pytest

from cnbench.core.metric import Metric
from cnbench.store import run_file

OTHER = Metric("other", "s", "lower", "ratio", "what else it costs")
NAMES = ("20260101-000000-aaaa", "20260102-000000-bbbb")


def noisy(centre, seed, spread=0.002):
    draw = random.Random(seed)
    return [centre * (1 + draw.gauss(0, spread)) for _ in range(30)]


def result(mode, costs, seed, group):
    """A case with two metrics; ``costs`` are their centres, and the second is noisy."""

    def both(seed):
        pairs = zip(noisy(costs[0], seed), noisy(costs[1], seed + 50, spread=0.3), strict=True)
        return [{"cost": cost, "other": other} for cost, other in pairs]

    made = made_up.result([1.0] * 30, mode, group=group, twin=[1.0] * 30)
    of = {
        what: tuple(
            dataclasses.replace(sample, values=values)
            for sample, values in zip(getattr(made, what), both(seed + shift), strict=True)
        )
        for what, shift in (("samples", 0), ("twin", 1))
    }
    return dataclasses.replace(made, **of)


@pytest.fixture
def compare(cnbench, results):
    """Two runs: mode a is alike in both, b costs more, and `other` is too noisy to tell."""
    for number, (name, second) in enumerate(zip(NAMES, (1.0, 1.1), strict=True)):
        cases = (
            result("a", (1.0, 1.0), 10 * number, 0),
            result("b", (second, 1.0), 10 * number + 5, 1),
        )
        run = made_up.run(*cases, identity=name, metrics=(made_up.COST, OTHER))
        run_file.write(run, results / f"{name}.json")
    return lambda *options: cnbench("compare", *NAMES, *options)


def found(done):
    said = json.loads(done.out)
    return {(row["params"]["mode"], row["metric"]): row["verdict"] for row in said["rows"]}, said


@pytest.mark.parametrize(
    ("options", "lines", "code"),
    [
        ((), {("a", "cost"), ("b", "cost"), ("a", "other"), ("b", "other")}, 1),
        (("--metric", "cost"), {("a", "cost"), ("b", "cost")}, 1),
        (("--metric", "cost", "-p", "mode=a"), {("a", "cost")}, 0),
        (("--metric", "cost", "--match", "mode=b"), {("b", "cost")}, 1),
        (("--metric", "cost", "--match", "^made-up mode=[ab] size=1 host wall$"), {("a", "cost"),
          ("b", "cost")}, 1),
        (("--metric", "other"), {("a", "other"), ("b", "other")}, 3),
        (("-p", "mode=a", "-p", "size=1"), {("a", "cost"), ("a", "other")}, 3),
    ],
)  # fmt: skip
def test_what_is_chosen_is_all_that_is_compared_and_judged(compare, options, lines, code):
    done = compare(*options, "--json")
    verdicts, said = found(done)
    assert set(verdicts) == lines
    assert said["questions"] == len(lines)
    assert done.code == code


def test_what_is_worst_comes_first(compare):
    _, said = found(compare("--metric", "cost", "--json"))
    assert [row["params"]["mode"] for row in said["rows"]] == ["b", "a"]


def test_the_family_is_what_is_chosen(compare, cnbench, results):
    """One small change among forty cases does not stand; asked for alone, it does."""
    for number, name in enumerate(("20260103-000000-cccc", "20260104-000000-dddd")):
        cases = []
        for size in range(1, 41):
            values, twin = (noisy(1.0, 1000 * number + 10 * size + part) for part in (0, 1))
            if size == 7 and number:
                values, twin = ([1.0547 * value for value in part] for part in (values, twin))
            cases.append(made_up.result(values, size=size, group=size, twin=twin))
        run_file.write(made_up.run(*cases, identity=name), results / f"{name}.json")
    names = ("20260103-000000-cccc", "20260104-000000-dddd")
    among_all = cnbench("compare", *names)
    assert among_all.code == 3
    assert "of 40 comparisons" in " ".join(among_all.out.split())
    alone = cnbench("compare", *names, "-p", "size=7")
    assert alone.code == 1
    assert "Of " not in alone.out  # nothing is said of many


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--metric", "kost"), ("no metric 'kost'", "did you mean cost?")),
        (("-p", "mod=a"), ("no parameter 'mod'", "did you mean mode?")),
        (("-p", "mode=a,c"), ("no case of the runs has mode=c", "choose from a, b")),
        (("-p", "mode"), ("chooses no values",)),
        (("--match", "nothing of the kind"), ("nothing that is chosen",)),
        (("--match", "("), ("no regular expression",)),
    ],
)
def test_what_is_not_there_cannot_be_chosen(compare, options, words):
    compare(*options).failed_in_one_sentence(2, *words)


def test_of_variants_measured_live_what_is_not_chosen_is_not_measured(cnbench):
    quick = ("-p", "pace=1ms", "--lab", "host", "--budget", "2s")
    asked = ("compare", "made-up", "-p", "size=1,2", "--vary", "mode=a,b", *quick)
    done = cnbench(*asked, "--match", "size=2", "--json")
    rows = json.loads(done.out)["rows"]
    assert {row["params"]["size"] for row in rows} == {2}
    assert {row["reference"]["params"]["size"] for row in rows} == {2}
    cnbench(*asked, "--metric", "kost").failed_in_one_sentence(2, "no metric 'kost'")
