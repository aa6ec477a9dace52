"""Says of each experiment with one set-up a case whether another set-up would have told the same.

Measures groups of quick cases in eight set-ups each, sampled in turn, and holds what set-ups differ
by against what their blocks do. What is found alike is the experiment's reason (`alike`) for one.
As root; about half a minute a group.

    .venv/bin/python scripts/set_ups_alike.py [--groups 2] [EXPERIMENT [-p NAME=VALUE,...] ...]
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from scipy.special import chdtri, fdtrc

from cnbench.analysis.observed import observed_differences
from cnbench.analysis.rows import measured
from cnbench.core.experiment import Experiment, everywhere
from cnbench.core.metric import Metric
from cnbench.core.run import CaseResult, Request
from cnbench.core.units import FRACTION, format_quantity
from cnbench.experiments.registry import all_experiments, experiment_called
from cnbench.lab.host import open_lab
from cnbench.measuring.events import CaseEnded, Event
from cnbench.measuring.planning import plan_for
from cnbench.measuring.session import carry_out
from cnbench.stats.observations import Observations

SETUPS = 8
BLOCKS = 6 * SETUPS


def results_of(experiment: Experiment, given: dict[str, list], groups: int) -> list[CaseResult]:
    """The cases of the first ``groups`` groups, in eight set-ups each."""
    request = Request((experiment.name,), False, {experiment.name: given}, "host", "wall", None, 1)
    plan = plan_for(request)
    plan = replace(plan, groups=plan.groups[:groups], fewest_blocks=BLOCKS)
    several = replace(experiment, setups=everywhere(SETUPS), alike="")
    found: list[CaseResult] = []

    def listen(event: Event) -> None:
        if isinstance(event, CaseEnded):
            found.append(event.result)

    with open_lab("host", "wall") as lab:
        carry_out(plan, lambda _: several, lab, "", listen)
    return found


def has_one_setup(experiment: Experiment) -> bool:
    """Whether all cases of a quick run have one set-up."""
    return {experiment.setups(point) for point in experiment.grid(False, {})} == {1}


def spread_of(run: Observations) -> tuple[float, float, float, float]:
    """Standard deviations of blocks and between set-ups, the latter's 95 % end, and p.

    By the analysis of variance of a random effect (Searle, Casella & McCulloch, Variance
    Components, 1992, section 3.6): p is that of set-ups that do not differ.
    """
    labels = np.array(run.setups)
    # Ranks would hide by how much; a single outlying block must not decide.
    values = np.clip(run.values, *np.quantile(run.values, (0.02, 0.98)))
    stretches = [values[labels == label] for label in np.unique(labels)]
    k, n, blocks = len(stretches), values.size, values.size / len(stretches)
    inside = sum(float(((one - one.mean()) ** 2).sum()) for one in stretches) / (n - k)
    between = blocks * float(np.var([one.mean() for one in stretches], ddof=1))
    if inside == 0:
        return 0.0, math.sqrt(between / blocks), math.inf if between else 0.0, float(not between)
    most = between * (k - 1) / float(chdtri(k - 1, 0.95))
    return (
        math.sqrt(inside),
        math.sqrt(max(0.0, between - inside) / blocks),
        math.sqrt(max(0.0, most - inside) / blocks),
        float(fdtrc(k - 1, n - k, between / inside)),
    )


def report(experiment: Experiment, results: list[CaseResult]) -> Iterator[str]:
    """A line a case, and one for each of its metrics."""
    for result in results:
        yield f"  {result.case.point}"
        if not measured(result):
            yield f"    {result.status}, {result.reason}"
            continue
        for metric in experiment.metrics:
            if metric.name in result.samples[0].values:
                yield f"    {metric.name}: {told(result, metric)}"


def told(result: CaseResult, metric: Metric) -> str:
    """What the set-ups of a case differ by in ``metric``."""
    run = observed_differences(result.samples, metric).by_run[0]
    *sizes, p_value = spread_of(run)
    unit = FRACTION if metric.scale == "ratio" else metric.unit
    inside, between, most = (format_quantity(size, unit) for size in sizes)
    return (
        f"blocks {inside}, {run.setup_count} set-ups {between} (to {most}), p = {p_value:.2g},"
        f" {run.values.size} blocks"
    )


def main() -> None:
    """Measure, and print what set-ups differ by."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--groups", type=int, default=2, help="of each experiment")
    parser.add_argument("-p", action="append", default=[], metavar="NAME=VALUE,...")
    parser.add_argument("experiments", nargs="*")
    options = parser.parse_args()
    experiments = (
        [experiment_called(name) for name in options.experiments]
        if options.experiments
        else [one for one in all_experiments().values() if has_one_setup(one)]
    )
    for experiment in experiments:
        given = {
            name: [experiment.parameter(name).parse(value) for value in values.split(",")]
            for name, _, values in (one.partition("=") for one in options.p)
        }
        print(experiment.name, flush=True)
        try:
            results = results_of(experiment, given, options.groups)
        except Exception as error:  # another experiment may do
            print(f"  {error}")
            continue
        print(*report(experiment, results), sep="\n", flush=True)


if __name__ == "__main__":
    main()
