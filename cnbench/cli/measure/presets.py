"""``cnbench run @nightly``: options of a run that ``cnbench.toml`` has a name for.

    [presets.nightly]
    experiments = ["service-routing"]
    services-from = "deploy/services.yaml"
    clock = "instructions"
    parameters = { measure = "connect", mode = ["iptables", "ipvs"] }

A preset is written out as what one would have typed, before what was typed beside it: so that one
of these overrides it, and ``-p`` adds to its parameters. The file is that of the current folder, or
of the nearest one above it in the same repository; its paths are seen from its own folder.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from cnbench.cli import completion
from cnbench.core.errors import UsageError
from cnbench.core.nearest import choose_from

FILE = "cnbench.toml"
_SIGN = "@"
_TABLE = "presets"
_EXPERIMENTS = "experiments"
_PARAMETERS = "parameters"
# A guest's kernel is a name or, with a slash in it, a file (cnbench/lab/guest/build/kernels.py).
_NAMES_OR_FILES = ("kernel",)

experiments_argument = click.argument(
    _EXPERIMENTS,
    nargs=-1,
    metavar="[EXPERIMENT|@PRESET]...",
    shell_complete=completion.experiments_or_presets,
)


class CommandWithPresets(click.Command):
    """A command whose arguments may name presets: ``@nightly``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse what presets stand for, and then what was typed."""
        if not ctx.resilient_parsing:
            args = written_out(args, self, Path.cwd())
        return super().parse_args(ctx, args)


def written_out(args: Sequence[str], command: click.Command, folder: Path) -> list[str]:
    """``args`` with their presets written out, and put first.

    Args:
        args: as typed. A file whose name begins with @ is written ./@file.
        command: the command whose options these are.
        folder: where the file of presets is looked for.

    Raises:
        UsageError: there is no such file or preset, or it has what the command has not.
    """
    names = [argument.removeprefix(_SIGN) for argument in args if argument.startswith(_SIGN)]
    if not names:
        return list(args)
    path = file_for(folder)
    if path is None:
        raise UsageError(
            f"there is no {FILE} here, so that {_SIGN}{names[0]} stands for nothing",
            f"write one with a table [{_TABLE}.{names[0] or 'nightly'}]",
        )
    presets = presets_in(path)
    typed = [argument for argument in args if not argument.startswith(_SIGN)]
    return [each for name in names for each in _arguments(path, presets, name, command)] + typed


def file_for(folder: Path) -> Path | None:
    """The file of presets that holds in ``folder``, or None.

    Beyond the repository's root, and where there is none beyond ``folder``, nothing is looked at:
    what others leave in a shared folder is no preset of ours.
    """
    folders = [folder, *folder.parents]
    root = next((at for at, above in enumerate(folders) if (above / ".git").exists()), 0)
    found = (above / FILE for above in folders[: root + 1])
    return next((path for path in found if path.is_file()), None)


def presets_in(path: Path) -> Mapping[str, Any]:
    """The presets of a file, by name.

    Raises:
        UsageError: it cannot be read, or has no presets.
    """
    try:
        presets = tomllib.loads(path.read_text(encoding="utf-8")).get(_TABLE, {})
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from error
    if not isinstance(presets, dict):
        raise UsageError(f"{path}: {_TABLE} is no table", f"write [{_TABLE}.nightly]")
    return presets


def _arguments(
    path: Path, presets: Mapping[str, Any], name: str, command: click.Command
) -> Iterator[str]:
    if name not in presets:
        raise UsageError(f"{path} has no preset '{name}'", choose_from(name, presets))
    preset, where = presets[name], f"{path}, preset {name}"
    if not isinstance(preset, dict):
        raise UsageError(f"{where}: it is no table", f"write [{_TABLE}.{name}]")
    options = {
        option.removeprefix("--"): parameter
        for parameter in command.params
        if isinstance(parameter, click.Option)
        for option in (*parameter.opts, *parameter.secondary_opts)
        if option.startswith("--")
    }
    for key, value in preset.items():
        if key == _EXPERIMENTS:
            yield from map(str, _several(value, f"{where}: {key}"))
        elif key == _PARAMETERS:
            yield from _assignments(value, f"{where}: {key}")
        elif key in options:
            yield from _option(key, value, options[key], path.parent, f"{where}: {key}")
        else:
            known = sorted([_EXPERIMENTS, _PARAMETERS, *options])
            raise UsageError(f"{where}: there is no '{key}'", choose_from(key, known))


def _assignments(value: object, where: str) -> Iterator[str]:
    if not isinstance(value, dict):
        raise UsageError(f"{where} is no table", 'write { mode = ["iptables", "ipvs"] }')
    for name, values in value.items():
        yield "-p"
        yield f"{name}={','.join(map(str, _several(values, f'{where}: {name}')))}"


def _option(
    key: str, value: object, option: click.Option, folder: Path, where: str
) -> Iterator[str]:
    if option.is_flag:
        if not isinstance(value, bool):
            raise UsageError(f"{where} is true or false, not {value!r}")
        if value:
            yield f"--{key}"
        elif option.secondary_opts:
            pair = {*option.opts, *option.secondary_opts}
            yield next(iter(pair - {f"--{key}"}))
        return
    for each in _several(value, where):
        yield f"--{key}"
        text = str(each)
        is_file = isinstance(option.type, click.Path) or (key in _NAMES_OR_FILES and "/" in text)
        yield str(folder / text) if is_file else text


def _several(value: object, where: str) -> list[Any]:
    values = value if isinstance(value, list) else [value]
    for each in values:
        if isinstance(each, bool) or not isinstance(each, str | int | float):
            raise UsageError(f"{where} has {each!r}", 'write a text, a number, or ["several"]')
    return values
