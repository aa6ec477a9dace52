"""Simulates what the statistics promise, and prints whether they keep it.

Every comparison goes through the functions of `cnbench compare`, every series through those of
`cnbench history`; what pyperf, asv, apache-otava and ruptures say is of the same data. What does
not fit in the time is left out, and said.

    .venv/bin/python scripts/evidence [--minutes 15] [--only power,coverage,series,grid,fleets]
                                      [--write docs/statistics.md]
"""

from __future__ import annotations

import argparse
import gc
import math
import resource
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from evidence import fleets
from evidence.comparing import counted
from evidence.made import Way
from evidence.models import MODELS, REPEATS_ALIKE
from evidence.others import TESTS
from evidence.series import kinds, sought
from scipy.stats import beta, nct, t

from cnbench.analysis.fleet.fleet import RATE

# How many blocks coverage is promised for, and what is looked at besides.
PROMISED, BESIDES = (12, 30), (6, 100)
# No smaller one is asked about: whatever is called at a larger margin is called at this one.
MARGIN = 0.001
# As `compare --vary` does it, and where one set-up was shown to stand for all.
SETUPS_VARIED = 6
ALIKE = "--vary, alike"
WAYS = {
    "--vary": Way(shared=True, setups=SETUPS_VARIED, alike=False),
    ALIKE: Way(shared=True),
    "--repeat 3": Way(repeats=3),
    "8 earlier runs": Way(earlier=8),
    "unknown": Way(),
}
# Blocks of the grids: where earlier runs alone tell of the spread, or nothing does, more of them
# change nothing that a verdict rests on. Six set-ups have the wider tails, so they stand for one.
GRIDS = {12: ("--vary", "--repeat 3", "8 earlier runs", "unknown"), 30: ("--vary", "--repeat 3")}
SETUPS = 8
GRID = 60
REPEATED = {"repeats alike by 1 %": REPEATS_ALIKE, "runs 1 % apart": MODELS["runs 1 % apart"]}
TRIALS = 400
WORKERS = 2
# Others are slower at series: one of so many.
OTHERS = 4
NOISES = (0.0002, 0.0056, 0.0266)
# Where a page has the tables.
BEGIN, END = "<!-- evidence -->", "<!-- /evidence -->"
Job = tuple[Callable[..., str], tuple[object, ...]]


def way_of(model: str, way: str) -> Way:
    """A way to compare; where set-ups differ, several of them."""
    found = WAYS[way]
    if not MODELS[model].setups or found.setups > 1:
        return found
    return replace(found, setups=SETUPS, alike=False)


def ways_of(model: str, among: Iterable[str] = WAYS) -> list[str]:
    """The ways that a model can be looked at: set-ups that differ are not alike."""
    return [way for way in among if way != ALIKE or not MODELS[model].setups]


def coverage(model: str, way: str, blocks: int, trials: int) -> str:
    """How often the interval held the truth, and how often nothing was called worse or better."""
    one = counted(MODELS[model], way_of(model, way), blocks, trials, seed=1, margin=MARGIN)
    return (
        f"coverage  {model:20} {way:15} {blocks:4} blocks: held {one.share(one.held):6.1%}"
        f"  false {one.share(one.called):5.1%}  unknown {one.share(one.unknown):4.0%}"
        f"  ± {np.median(one.widths):.2%}  of {trials}"
    )


def coverage_of_repeats(model: str, earlier: int, trials: int) -> str:
    """The same of three repeats a side, known beside earlier runs of three."""
    way = Way(repeats=3, earlier=earlier, repeated=True)
    one = counted(REPEATED[model], way, 12, trials, seed=5, margin=MARGIN)
    return (
        f"coverage  {model:20} 3 repeats a side, {earlier} earlier runs of 3: held"
        f" {one.share(one.held):6.1%}  false {one.share(one.called):5.1%}"
        f"  ± {np.median(one.widths):.2%}  of {trials}"
    )


def grid(model: str, way: str, blocks: int, trials: int) -> str:
    """How often any of sixty cases was called worse or better."""
    one = counted(MODELS[model], way_of(model, way), blocks, trials, 2, margin=MARGIN, cases=GRID)
    return (
        f"grid      {model:20} {way:15} {blocks:4} blocks: any of {GRID} false"
        f" {one.share(one.called):5.1%} {_interval(one.called, trials)}  of {trials}"
    )


def _interval(count: int, trials: int) -> str:
    """The exact 95 % interval of a share (Clopper & Pearson, Biometrika 26 (1934) 404-413)."""
    low = beta.ppf(0.025, count, trials - count + 1) if count else 0.0
    high = beta.ppf(0.975, count + 1, trials - count) if count < trials else 1.0
    return f"[{low:.1%}, {high:.1%}]"


def power(shift: float, trials: int) -> str:
    """Twelve independent blocks of 2 %, margin 0: what is found, beside others' tests."""
    model = MODELS["independent, 2 %"]
    ours = {
        way: counted(model, WAYS[way], 12, trials, 3, shift=math.log1p(shift), margin=0.0)
        for way in ("--vary", ALIKE)
    }
    others = dict.fromkeys(TESTS, 0)
    for number in range(trials):
        [(a, b)] = model.runs_of(np.random.default_rng([3, number]), 1, 2, 12, 1)
        for name, test in TESTS.items():
            others[name] += test(np.exp(a), np.exp(b) * (1 + shift))
    found = {f"cnbench {way}": one.called for way, one in ours.items()} | others
    told = "  ".join(f"{name} {count / trials:6.1%}" for name, count in found.items())
    return f"power     {shift:5.1%}: {told}  of {trials}"


def power_of_repeats(errors: float, earlier: int, trials: int) -> str:
    """Runs 1 % apart, three a side, margin 0: what is found of so many total standard errors."""
    model = MODELS["runs 1 % apart"]
    total = math.hypot(model.runs, model.inside * math.sqrt(math.pi / 2 / 12)) * math.sqrt(2 / 3)
    way = Way(repeats=3, earlier=earlier)
    one = counted(model, way, 12, trials, 4, shift=errors * total, margin=0.0)
    return (
        f"power     {errors:3.1f} total standard errors ({errors * total:.2%}), 3 runs a side,"
        f" {earlier} earlier: {one.share(one.called):6.1%}  of {trials}"
    )


def limit(errors: float, freedom: int) -> str:
    """What Student's t finds, which no unbiased test at the same rate of false alarms exceeds.

    Lehmann & Romano, Testing Statistical Hypotheses, 3rd ed. (2005), section 5.3.
    """
    beyond = float(t.ppf(0.975, freedom))
    found = float(nct.sf(beyond, freedom, errors) + nct.cdf(-beyond, freedom, errors))
    return (
        f"limit     {errors:3.1f} total standard errors, a spread known with {freedom} degrees of"
        f" freedom: {found:6.1%}, by Student's t, calculated"
    )


def series(length: int, kind: str, noise: float, trials: int) -> str:
    """Who sees a step too many, and who all that there are."""
    few = max(2, trials // OTHERS)
    found = {
        **sought(length, kinds(length)[kind], noise, few, 9),
        **sought(length, kinds(length)[kind], noise, trials, 9, others=False),
    }
    told = "  ".join(f"{name} {false:.1%}/{all_:.1%}" for name, (false, all_) in found.items())
    return f"series    {length:4} places, {noise:.2%}, {kind:22}: {told}  of {trials}, others {few}"


def fleet_alike(shape: str, nodes: int, rate: float, trials: int) -> str:
    """How often any node of a fleet without a slow one is named."""
    named, silent = fleets.alike(shape, nodes, rate, trials)
    return (
        f"fleet     {nodes:4} nodes alike, {shape:15}, rate {rate:.1%}: any named {named:6.2%},"
        f" without a caution {silent:6.2%}  of {trials}"
    )


def fleet_slower(nodes: int, shift: float, trials: int) -> str:
    """How often all slow nodes of a fleet are named, and any other."""
    found, others = fleets.slower(nodes, shift, RATE, trials)
    return (
        f"fleet     {nodes:4} nodes, {fleets.SLOW[nodes]} slower by {shift:4.1f} deviations:"
        f" all named {found:6.1%}, another {others:6.2%}  of {trials}"
    )


def jobs(parts: list[str], trials: int) -> Iterator[Job]:
    """Every line of the tables, in the order of what is promised first."""
    if "power" in parts:
        yield from ((limit, (errors, freedom)) for errors in (3.0, 3.67) for freedom in (4, 11))
        yield from ((power, (shift, trials)) for shift in (0.0, 0.02, 0.025, 0.03))
        for errors in (0.0, 3.0, 3.67, 4.5):
            yield from ((power_of_repeats, (errors, earlier, trials)) for earlier in (0, 8))
    if "coverage" in parts:
        for model in REPEATED:
            yield from ((coverage_of_repeats, (model, earlier, trials)) for earlier in (0, 5, 8))
        yield from _coverages(PROMISED, trials)
    if "series" in parts:
        yield from _series(40, trials)
    if "grid" in parts:
        for blocks, ways in GRIDS.items():
            for model in MODELS:
                yield from ((grid, (model, way, blocks, trials)) for way in ways_of(model, ways))
    if "fleets" in parts:
        for nodes in fleets.SIZES:
            for rate in (0.05, RATE):
                yield from ((fleet_alike, (s, nodes, rate, 5 * trials)) for s in fleets.SHAPES)
            yield from ((fleet_slower, (nodes, shift, trials)) for shift in fleets.SHIFTS)
    if "coverage" in parts:
        yield from _coverages(BESIDES, trials)
    if "series" in parts:
        yield from _series(200, max(2, trials // 10))


def _coverages(lengths: tuple[int, ...], trials: int) -> Iterator[Job]:
    for blocks in lengths:
        for model in MODELS:
            yield from ((coverage, (model, way, blocks, trials)) for way in ways_of(model))


def _series(length: int, trials: int) -> Iterator[Job]:
    for noise in NOISES:
        yield from ((series, (length, kind, noise, trials)) for kind in kinds(length))


def simulated(parts: list[str], trials: int, minutes: float) -> tuple[list[str], int]:
    """The lines, printed as they are found and given in their order; how many did not fit.

    Nothing is begun that would end too late if it took as long as the longest so far.
    """
    ends = time.monotonic() + 60 * minutes
    wanted = list(jobs(parts, trials))
    lines: dict[int, str] = {}
    running: dict[Future[str], tuple[int, float]] = {}
    numbers, longest = iter(range(len(wanted))), 0.0
    # No object of a trial refers to itself, and looking for such takes a sixth of the time.
    with ProcessPoolExecutor(WORKERS, initializer=gc.disable) as pool:
        while True:
            while len(running) < WORKERS and time.monotonic() + longest < ends:
                number = next(numbers, None)
                if number is None:
                    break
                function, arguments = wanted[number]
                running[pool.submit(function, *arguments)] = number, time.monotonic()
            if not running:
                return [lines[number] for number in sorted(lines)], len(wanted) - len(lines)
            for done in wait(running, return_when=FIRST_COMPLETED).done:
                number, began = running.pop(done)
                longest = max(longest, time.monotonic() - began)
                lines[number] = done.result()
                print(lines[number], flush=True)


def write(path: Path, lines: list[str]) -> None:
    """Put ``lines`` between the marks of a page that holds them."""
    before, begin, rest = path.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise SystemExit(f"{path} has no place for tables, from {BEGIN} to {END}")
    table = "\n".join(["", "```text", *lines, "```", ""])
    path.write_text(before + begin + table + end + after)


def main() -> None:
    """Run the jobs on two processors until the time is up."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=15)
    parser.add_argument("--trials", type=int, default=TRIALS)
    parser.add_argument("--only", default="power,coverage,series,grid,fleets")
    parser.add_argument("--write", type=Path, help="a page whose tables are replaced")
    options = parser.parse_args()
    began = time.monotonic()
    lines, left = simulated(options.only.split(","), options.trials, options.minutes)
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    lines.append(
        f"{len(lines)} lines, {left} did not fit in {options.minutes:g} minutes;"
        f" {(time.monotonic() - began) / 60:.1f} minutes,"
        f" {(spent.ru_utime + spent.ru_stime) / 60:.1f} of CPU time"
    )
    print(lines[-1])
    if options.write:
        write(options.write, lines)


if __name__ == "__main__":
    main()
