"""Profiles as tables in a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.markup import escape

from cnbench.analysis.profile.difference import Changed, changes
from cnbench.analysis.profile.stacks import self_counts, stacks_in, total_counts
from cnbench.cli.wide_tables import Column, console, print_table
from cnbench.experiments.registry import experiment_called
from cnbench.store.profiles import Profile


def print_profile(profile: Profile, top: int) -> None:
    """The functions that execute most themselves, and how much of the figure they all explain."""
    stacks = stacks_in(profile)
    own, totals = self_counts(stacks), total_counts(stacks)
    shown = list(own)[:top]
    columns = [
        Column("function", tuple(map(escape, shown)), sentences=True),
        Column("its own", tuple(f"{own[name]:,}" for name in shown), right=True),
        Column("share", tuple(f"{own[name] / profile.counted:.1%}" for name in shown), right=True),
        Column("with called", tuple(f"{totals[name]:,}" for name in shown), right=True),
    ]
    out = console()
    print_table(out, columns, f"{_title(profile)}  instructions")
    left = profile.counted - sum(own[name] for name in shown)
    if left:
        out.print(f"{len(own) - len(shown)} more functions executed {left:,}.")
    out.print(
        f"All together {profile.counted:,}: {profile.explained:.2%} of the "
        f"{profile.figure:,.1f} that the sample was."
    )


def print_changes(before: Profile, after: Profile, top: int) -> None:
    """The functions that gained or lost most from one profile to the other."""
    found = [change for change in changes(before, after) if change.gained][:top]
    out = console()
    out.print(f"from  {_title(before)}  {before.counted:,} instructions")
    out.print(f"to    {_title(after)}  {after.counted:,} instructions")
    print_table(out, _columns(found), f"{after.counted - before.counted:+,} instructions")
    told = sum(change.gained for change in found)
    out.print(f"These functions together: {told:+,}.")


def _columns(found: Sequence[Changed]) -> list[Column]:
    def numbers(heading: str, values: Sequence[str]) -> Column:
        return Column(heading, tuple(values), right=True)

    return [
        Column("function", tuple(escape(change.function) for change in found), sentences=True),
        numbers("before", [f"{change.before:,}" for change in found]),
        numbers("after", [f"{change.after:,}" for change in found]),
        numbers("gained", [f"{change.gained:+,}" for change in found]),
        numbers("with called", [f"{change.total_gained:+,}" for change in found]),
    ]


def _title(profile: Profile) -> str:
    case = profile.case
    shown = experiment_called(case.experiment).show(case.params)
    point = " ".join(f"{name}={value}" for name, value in shown.items())
    return (
        f"[bold]{escape(case.experiment)}[/] {escape(profile.metric)}  "
        f"[dim]{escape(point)}[/] {escape(profile.release)}"
    )
