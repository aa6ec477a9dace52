"""From what was asked for to a plan: which venues may be used, and what each can measure."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from cnbench.core.errors import UnsupportedError
from cnbench.core.experiment import Experiment
from cnbench.core.run import CaseResult, Request
from cnbench.experiments.registry import experiment_called
from cnbench.lab.guest import start
from cnbench.lab.host import open_lab
from cnbench.measuring.plan import Plan, make_plan
from cnbench.measuring.venues import Guests, HostFirst, all_on_host, check_request


def plan_for(
    request: Request,
    done: Iterable[CaseResult] = (),
    experiments: Callable[[str], Experiment] = experiment_called,
) -> Plan:
    """The plan for what was asked, each group where it belongs.

    Raises:
        UsageError: what was asked for makes no sense.
        UnsupportedError: it needs a guest, which can be neither started nor built here.
    """
    check_request(request)
    if request.lab == "host":
        return make_plan(request, experiments, all_on_host, done)
    guests = Guests(request.kernels, request.clock)
    if request.lab == "guest" or request.clock == "instructions":
        for kernel in request.kernels:
            start.require(kernel)
        return make_plan(request, experiments, guests.divide, done)
    with open_lab("host", "wall") as lab:
        named = {
            name
            for name in request.experiments
            if experiments(name).variant in request.given.get(name, {})
        }
        host_first = HostFirst(lab, None if why_no_guest(request) else guests, named)
        return make_plan(request, experiments, host_first.divide, done)


def why_no_guest(request: Request) -> UnsupportedError | None:
    """What is missing here for the guests of ``request``, or None."""
    try:
        for kernel in request.kernels:
            start.require(kernel)
    except UnsupportedError as error:
        return error
    return None
