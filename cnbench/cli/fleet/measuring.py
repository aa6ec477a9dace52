"""Having a fleet measure, from the command line: shares, progress and run files."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import click
from distributed import Client

from cnbench.cli.measure.measuring import recording
from cnbench.cli.measure.progress import shown_on_stderr
from cnbench.core.codec import from_plain
from cnbench.core.run import CaseResult, Request
from cnbench.fleet import errands, spread
from cnbench.fleet.connecting import Roll
from cnbench.fleet.members import Member, commonest_environment, nodes
from cnbench.fleet.offers import Resources, of_node
from cnbench.measuring.events import Event, Listener
from cnbench.measuring.guests.messages import of_group
from cnbench.measuring.plan import Plan, left_of
from cnbench.store.recorder import Recorder
from cnbench.store.repeats import Planner, plans_for

# Each share's groups have numbers of their own, which progress has to tell apart.
_MOST_GROUPS = 1 << 20


@dataclass
class Part:
    """A run, and which members it is for."""

    recorder: Recorder
    needs: Resources = field(default_factory=dict)
    timed_needs: Resources = field(default_factory=dict)
    plans: list[Plan] = field(default_factory=list)


def part_of_node(node: str, recorder: Recorder) -> Part:
    """A run that is all measured on ``node``."""
    return Part(recorder, {of_node(node): 1.0})


def part_for_all(roll: Roll, recorder: Recorder) -> Part:
    """A run of which every group is measured once; what is timed, in one environment.

    Raises:
        UnsupportedError: there is no member.
    """
    return Part(recorder, timed_needs={commonest_environment(roll.require()): 1.0})


def measure(client: Client, roll: Roll, parts: Sequence[Part], *, anew: bool) -> bool:
    """Have the fleet measure all ``parts``, each into its run file; False if nothing is left to.

    Raises:
        CnbenchError: the scheduler has gone, or a run file could not be written.
        KeyboardInterrupt: stopped by the user; the run files have everything measured.
    """
    for part in parts:
        part.plans = plans_for(part.recorder.run, _planner(client, part))
    groups = sum(len(plan.groups) for part in parts for plan in part.plans)
    if not groups:
        return False
    for part in parts:
        _say_who_is_left_out(part, roll())
    with contextlib.ExitStack() as stack:
        progress = stack.enter_context(shown_on_stderr(groups))
        listeners = [
            stack.enter_context(recording(part.recorder, _numbered(progress, n * _MOST_GROUPS)))
            for n, part in enumerate(parts)
        ]
        for repeat in range(max(len(part.plans) for part in parts)):
            shares = []
            for part, listen in zip(parts, listeners, strict=True):
                part.recorder.repeat = repeat
                plan = part.plans[repeat]
                plan = replace(plan, anew=anew or plan.anew)
                shares.append(spread.Share(plan, listen, part.needs, part.timed_needs))
            spread.carry_out(client, shares, roll)
    return True


def _planner(client: Client, part: Part) -> Planner:
    """What has a member that ``part`` is for make its plan: the machine here may be no member."""

    def plan(request: Request, done: Iterable[CaseResult]) -> Plan:
        made = client.submit(
            errands.plan,
            errands.plain(request),
            resources=part.needs | part.timed_needs,
            pure=False,
        ).result()
        return left_of(from_plain(Plan, made), done)

    return plan


def _say_who_is_left_out(part: Part, members: Sequence[Member]) -> None:
    groups = (group for plan in part.plans for group in plan.groups)
    if not part.timed_needs or all(group.venue.clock == "instructions" for group in groups):
        return
    able = nodes(member for member in members if member.has(part.timed_needs))
    others = [node for node in nodes(members) if node not in able]
    if others:
        click.echo(
            f"What is timed is shared among {', '.join(able)}: {', '.join(others)} differ in what"
            " a time depends on. With --every-node each measures all of it.",
            err=True,
        )


def _numbered(progress: Listener, offset: int) -> Listener:
    def tell(event: Event) -> None:
        number = getattr(event, "number", getattr(event, "group", None))
        progress(event if number is None else of_group(event, offset + number))

    return tell
