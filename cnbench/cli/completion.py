"""What a shell completes: experiments, parameters with their values, presets, and runs.

Each is imported when a shell asks for it, and a complaint would be written over what is being
typed: what cannot be found out completes to nothing.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import click
from click.shell_completion import BashComplete, CompletionItem, add_completion_class

PROGRAM = "cnbench"
VARIABLE = "_CNBENCH_COMPLETE"
_SHOWN_RUNS = 20
# What commands call the argument that names experiments.
_OF_EXPERIMENTS = ("experiments", "experiment", "what")
# The line of click's function for bash that offers a word (8.1 to 8.5).
_ADDED = "COMPREPLY+=($value)"

Completions = list[CompletionItem]
Complete = Callable[[click.Context, click.Parameter, str], Completions]
Find = Callable[[click.Context, str], Iterable[str | CompletionItem]]


def _quietly(find: Find) -> Complete:
    """What ``find`` gives that begins with what is typed; nothing where it fails."""

    @functools.wraps(find)
    def complete(ctx: click.Context, param: click.Parameter, typed: str) -> Completions:
        try:
            found = [
                each if isinstance(each, CompletionItem) else CompletionItem(each)
                for each in find(ctx, typed)
            ]
        except Exception:  # whatever it is, nobody could read it
            return []
        return [item for item in found if item.type != "plain" or item.value.startswith(typed)]

    return complete


@_quietly
def experiments(ctx: click.Context, typed: str) -> Iterator[str]:
    """The names of experiments."""
    from cnbench.experiments.registry import names

    yield from names()


@_quietly
def experiments_or_presets(ctx: click.Context, typed: str) -> Iterator[str]:
    """The names of experiments, and of the presets that hold here."""
    from cnbench.cli.measure import presets
    from cnbench.experiments.registry import names

    if typed.startswith("@"):
        file = presets.file_for(Path.cwd())
        yield from (f"@{name}" for name in (presets.presets_in(file) if file else ()))
    else:
        yield from names()


@_quietly
def assignments(ctx: click.Context, typed: str) -> Iterator[str]:
    """``mode=``, then ``mode=iptables,ipvs``: of the experiments that are named, else of all."""
    from cnbench.experiments.registry import experiment_called, names

    # An option whose value is still to come leaves its command's arguments unparsed.
    named = {*ctx.args, *_flat(ctx.params.get(name) for name in _OF_EXPERIMENTS)}
    chosen = [name for name in names() if name in named] or names()
    parameters = [p for name in chosen for p in experiment_called(name).parameters]
    wanted, equals, values = typed.partition("=")
    if not equals:
        yield from dict.fromkeys(f"{parameter.name}=" for parameter in parameters)
        return
    before, comma, _ = values.rpartition(",")
    for parameter in parameters:
        if parameter.name == wanted:
            of_grid = (parameter.quick, parameter.full)
            known = [parameter.show(v) for part in of_grid if not callable(part) for v in part]
            for value in dict.fromkeys([*parameter.choices, *known]):
                yield f"{wanted}={before}{comma}{value}"


def _flat(values: Iterable[str | Sequence[str] | None]) -> Iterator[str]:
    for value in values:
        yield from [value] if isinstance(value, str) else value or ()


@_quietly
def baselines(ctx: click.Context, typed: str) -> Iterator[str]:
    """The names of baselines."""
    from cnbench.store.runs import all_baselines

    yield from (path.stem for path in all_baselines())


@_quietly
def runs(ctx: click.Context, typed: str) -> Iterator[str | CompletionItem]:
    """Baselines, ``latest``, the last runs by their ids; and files."""
    yield from _runs()
    yield CompletionItem(typed, type="file")


@_quietly
def runs_or_experiments(ctx: click.Context, typed: str) -> Iterator[str]:
    """What `compare` takes: runs, or an experiment whose variants are measured."""
    from cnbench.experiments.registry import names

    yield from _runs()
    yield from names()


def _runs() -> Iterator[str]:
    from cnbench.store.runs import all_baselines, all_runs

    yield from (path.stem for path in all_baselines())
    files = all_runs()[-_SHOWN_RUNS:]
    if files:
        yield from ("latest", "latest~1")
    yield from (path.stem for path in reversed(files))


class _BashOfAssignments(BashComplete):
    """bash, which takes ``mode=ipvs`` for three words, and completes the last of them."""

    name = "bash"
    # After `mode=` comes a value, and no space.
    source_template = BashComplete.source_template.replace(
        _ADDED, f"{_ADDED}\n            [[ $value == *= ]] && compopt -o nospace 2>/dev/null"
    )

    def get_completion_args(self) -> tuple[list[str], str]:
        """The words as they were typed, and the one to complete."""
        words, last = super().get_completion_args()
        joined: list[str] = []
        for word in [*words, last]:
            follows = bool(joined) and (word.startswith("=") or joined[-1].endswith("="))
            if follows:
                joined[-1] += word
            else:
                joined.append(word)
        return joined[:-1], joined[-1]

    def format_completion(self, item: CompletionItem) -> str:
        """What bash is to put in place of its last word."""
        value = item.value
        if item.type == "plain" and "=" in value and not value.startswith("-"):
            value = value.partition("=")[2] or value
        return f"{item.type},{value}"


def is_asked() -> bool:
    """Whether a shell has started this process to complete what is typed there."""
    return VARIABLE in os.environ


def prepare() -> None:
    """Have click use this module's completion for bash."""
    add_completion_class(_BashOfAssignments)
