"""``cnbench behaviours``: the same questions to one kernel after another."""

from __future__ import annotations

import json
from collections.abc import Iterator

import click
from rich.markup import escape

from cnbench.behaviours.observing import HOST, observe_kernels
from cnbench.behaviours.registry import all_behaviours, called
from cnbench.behaviours.table import Column as Kernel
from cnbench.behaviours.table import Table, changes, table_of
from cnbench.cli.options import json_option
from cnbench.cli.wide_tables import Column, console, print_table
from cnbench.core.errors import ExitCode, UnsupportedError, UsageError
from cnbench.core.units import format_count
from cnbench.lab.guest import start
from cnbench.lab.guest.build.kernels import built_kernels
from cnbench.store import behaviour_tables

_DIFFERS = "→ "
_NO_ANSWER = "–"


@click.command("behaviours")
@click.argument("names", nargs=-1, metavar="[BEHAVIOUR|SUBJECT]...")
@click.option(
    "--kernels",
    metavar="NAME,...",
    help="host, Debian suites, or paths of vmlinuz files.  [default: host, and all that are built]",
)
@click.option("--build", is_flag=True, help="Build the guests of kernels that are not built yet.")
@click.option("--changes", "only_changes", is_flag=True, help="List only what changes, in words.")
@click.option("--list", "only_list", is_flag=True, help="List the questions; ask nothing.")
@click.option("--controls", is_flag=True, help="Show that each probe can answer otherwise, too.")
@json_option
def command(
    names: tuple[str, ...],
    kernels: str | None,
    build: bool,
    only_changes: bool,
    only_list: bool,
    controls: bool,
    as_json: bool,
) -> int:
    """What kernels do, beside each other: a row for each behaviour that platforms rely on.

    Each is asked by a probe, on this machine in namespaces and groups of its own, and in guests. A
    probe says what it saw; where a kernel differs from the one before, that is marked. The last
    answers are kept beside the runs, and shown in the report.

    \b
    Examples:
      cnbench behaviours --list
      cnbench behaviours overlay network.syn-retries
      cnbench behaviours --kernels bookworm,trixie --changes
    """
    asked = called(names)
    if only_list:
        _print_list([behaviour.name for behaviour in asked])
        return ExitCode.FINE
    wanted = _kernels(kernels)
    if only_changes and len(wanted) < 2:
        raise UsageError("what changes takes two kernels to see", "--kernels bookworm,trixie")
    _need(wanted, build)
    columns = observe_kernels(wanted, asked, controls, _say)
    behaviour_tables.keep(columns, behaviour_tables.tables_file())
    table = table_of(columns)
    if as_json:
        click.echo(json.dumps(behaviour_tables.plain(table), indent=1, ensure_ascii=False))
    elif only_changes:
        _print_changes(table)
    else:
        _print_table(table, controls)
    return _exit_code(table, controls)


def _kernels(text: str | None) -> list[str]:
    if text is None:
        return [HOST, *(kernel.name for kernel in built_kernels())]
    wanted = list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    if not wanted:
        raise UsageError("which kernels?", "--kernels host,trixie")
    return wanted


def _need(kernels: list[str], build: bool) -> None:
    """Have all guests built before anything is asked."""
    missing = [name for name in kernels if name != HOST and not start.is_built(name)]
    if missing and not build:
        options = " ".join(f"--kernel {name}" for name in missing)
        raise UnsupportedError(
            f"no guest is built yet for {', '.join(missing)}",
            f"add --build, or: cnbench guest build {options}",
        )
    for name in missing:
        start.ensure_built(name, _say)


def _print_list(names: list[str]) -> None:
    known = [all_behaviours()[name] for name in names]
    columns = [
        Column("behaviour", tuple(behaviour.name for behaviour in known), telling=True),
        Column(
            "question", tuple(escape(behaviour.question) for behaviour in known), sentences=True
        ),
        Column(
            "how it is asked",
            tuple(escape(behaviour.method) for behaviour in known),
            sentences=True,
        ),
        Column(
            "why it matters",
            tuple(escape(behaviour.matters) for behaviour in known),
            sentences=True,
        ),
        Column("source", tuple(escape(behaviour.source) for behaviour in known), sentences=True),
    ]
    print_table(console(), columns)


def _print_table(table: Table, controls: bool) -> None:
    out = console()
    columns = [Column("behaviour", table.behaviours, telling=True)]
    for number, kernel in enumerate(table.columns):
        cells = tuple(_cell(table, name, number, controls) for name in table.behaviours)
        columns.append(Column(kernel.release, cells, sentences=True))
    print_table(out, columns)
    out.print(
        f"\n{_DIFFERS}differs from the kernel before it: {len(table.differing())} of "
        f"{len(table.behaviours)} behaviours"
    )
    for line in _unanswered(table):
        out.print(escape(line))


def _cell(table: Table, behaviour: str, number: int, controls: bool) -> str:
    observation = table.row(behaviour)[number]
    if observation is None or observation.status == "unsupported":
        return _NO_ANSWER
    if observation.status == "failed":
        return "[red]failed[/]"
    said = escape(observation.answer)
    if table.marks(behaviour)[number]:
        said = f"[bold]{_DIFFERS}{said}[/]"
    if controls:
        said += f" [dim]otherwise: {escape(' | '.join(observation.controls))}[/]"
    return said


def _unanswered(table: Table) -> Iterator[str]:
    """Why there is no answer, each reason once a kernel."""
    for kernel in table.columns:
        reasons: dict[str, list[str]] = {}
        for observation in kernel.observations:
            if observation.status != "ok":
                reasons.setdefault(observation.reason, []).append(observation.behaviour)
        for reason, names in reasons.items():
            yield f"{_NO_ANSWER} {kernel.release}: {', '.join(names)}: {reason}"


def _print_changes(table: Table) -> None:
    """From each kernel to the next, what it does otherwise and why that matters."""
    for before, after in zip(table.columns, table.columns[1:], strict=False):
        _print_changes_between(before, after)


def _print_changes_between(before: Kernel, after: Kernel) -> None:
    out = console()
    found = list(changes(before, after))
    out.print(f"[bold]{before.release} to {after.release}: {format_count(len(found), 'change')}[/]")
    for change in found:
        known = all_behaviours()[change.behaviour]
        out.print(f"\n{change.behaviour}: {escape(known.question)}")
        out.print(f"  before  {escape(change.before)}")
        out.print(f"  after   {escape(change.after)}")
        out.print(f"  [dim]{escape(known.matters)}[/]")
    out.print()


def _exit_code(table: Table, controls: bool) -> int:
    """5 where a probe failed, or one never answers otherwise."""
    found = [observation for column in table.columns for observation in column.observations]
    failed = any(observation.status == "failed" for observation in found)
    blind = controls and any(
        observation.status == "ok" and not observation.control_differs for observation in found
    )
    return ExitCode.FAILED if failed or blind else ExitCode.FINE


def _say(what: str) -> None:
    click.echo(f"{what} ...", err=True)
