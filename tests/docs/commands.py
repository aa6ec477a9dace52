"""The commands that documentation shows, carried out, or where they would measure, understood."""

from __future__ import annotations

import importlib.util
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
from click.testing import CliRunner

from cnbench.cli.main import cli
from cnbench.core.errors import CnbenchError
from cnbench.experiments.registry import all_experiments, experiment_called
from cnbench.measuring.plan import parse_given

ROOT = Path(__file__).resolve().parents[2]
# What only reads: these are carried out, on files that are given.
READS = {"list", "show", "claims", "noise", "report", "export"}
# Of these the subcommand or an option says whether they only read.
READS_WITH = {
    "fleet": {"report"},
    "guest": {"list"},
    "schedule": {"--from"},
    "services": {"generate"},
    "gc": {"--dry-run"},
}
# Their exit codes: fine, or a verdict on runs that are alike.
FINE = {0, 3}


PRESET = '[presets.nightly]\nexperiments = ["cpu-quota"]\n'


class WrongError(Exception):
    """A command that is not as the documentation has it."""


def commands(block: str) -> Iterator[str]:
    """The commands of a console block, those on one line apart, without prompts and remarks."""
    for line in re.sub(r"\\\n\s*", "", block).splitlines():
        if line.startswith("$ "):
            told = re.sub(r"\s+#\s.*", "", line[2:])
            yield from (command.strip() for command in told.split(";"))


@dataclass(frozen=True)
class Followed:
    """What became of a command."""

    command: str
    carried_out: bool


def follow(command: str) -> Followed:
    """Carry a command out in the current folder, or understand it; raises WrongError."""
    argv = shlex.split(re.split(r"\s>{1,2}\s", command)[0])
    program = Path(argv[0]).name
    if program == "cnbench":
        return Followed(command, _cnbench(argv[1:]))
    if program == "make":
        _run(["make", "-n", *argv[1:]])
    elif program == "python" and argv[1] == "-m":
        _module(argv[2], argv[3:])
    elif program == "cp":
        if missing := [path for path in argv[1:] if not (ROOT / path).exists()]:
            raise WrongError(f"{command}: there is no {missing[0]}")
    elif program != "kubectl":  # which needs a cluster
        raise WrongError(f"{command}: nobody has said how {program} is tried")
    return Followed(command, False)


def _module(name: str, args: Sequence[str]) -> None:
    """A module that Python runs: it is there, and so are the tests that pytest is to run."""
    if importlib.util.find_spec(name) is None:
        raise WrongError(f"there is no module {name}")
    if missing := [arg for arg in args if arg.startswith("tests/") and not (ROOT / arg).exists()]:
        raise WrongError(f"there is no {missing[0]}")


def _run(argv: Sequence[str]) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, cwd=ROOT)
    if done.returncode:
        raise WrongError(f"{shlex.join(argv)}: {done.stdout[-400:]}{done.stderr[-400:]}")


def _cnbench(args: Sequence[str]) -> bool:
    try:
        name, parsed = understood(args)
        if (
            name in READS
            or READS_WITH.get(name, set()) & set(args)
            or _compares_files(name, parsed)
        ):
            done = CliRunner().invoke(cli, list(args))
            if isinstance(done.exception, CnbenchError) or done.exit_code not in FINE:
                raise WrongError(f"cnbench {shlex.join(args)}: {done.exception}\n{done.output}")
            return True
        _has_cases(name, parsed)
    except (click.ClickException, CnbenchError) as error:
        raise WrongError(f"cnbench {shlex.join(args)}: {error}") from error
    return False


def understood(args: Sequence[str]) -> tuple[str, dict[str, object]]:
    """The command that ``args`` call, with its parameters as click reads them."""
    command: click.Command = cli
    context = click.Context(cli, info_name="cnbench")
    rest, first = list(args), args[0] if args else ""
    while isinstance(command, click.Group):
        name, found, rest = command.resolve_command(context, rest)
        assert found is not None
        command = found
        context = click.Context(command, parent=context, info_name=name)
    return first, command.make_context(first, rest, parent=context.parent).params


def _compares_files(name: str, parsed: dict[str, object]) -> bool:
    return name == "compare" and not parsed.get("vary")


def _has_cases(name: str, parsed: dict[str, object]) -> None:
    """Raises an error of ours where what is to be measured has no case, or is called otherwise."""
    named = [parsed[key] for key in ("experiments", "experiment", "what", "a") if parsed.get(key)]
    names = [n for each in named for n in ([each] if isinstance(each, str) else each)]  # type: ignore[attr-defined]
    found = [experiment_called(called) for called in names if not called.startswith("@")]
    if name == "cliffs":
        return  # whose sizes are a range, which it cuts itself
    given = parse_given(found or list(all_experiments().values()), parsed.get("assignments") or ())  # type: ignore[arg-type]
    for experiment in found:
        experiment.grid(not parsed.get("quick", True), given.get(experiment.name, {}))


def options_of(args: Sequence[str]) -> set[str]:
    """The options of the command that ``args`` begin with; raises WrongError if there is none."""
    command: click.Command = cli
    for word in args:
        if not isinstance(command, click.Group) or word.startswith("-"):
            break
        found = command.get_command(click.Context(command), word)
        if found is None:
            raise WrongError(f"cnbench {shlex.join(args)}: there is no such command")
        command = found
    known = {option for parameter in command.params for option in parameter.opts}
    return (
        known
        | {o for p in command.params for o in p.secondary_opts}
        | {"--help", "-h", "--version"}
    )


def make_targets() -> set[str]:
    """The targets of the Makefile."""
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))


def given_files(folder: Path) -> None:
    """Put there what the commands of the documentation read: runs, services, a cluster."""
    run = ROOT / "docs/notebook.jsonl"
    runs = folder / "results/runs"
    runs.mkdir(parents=True)
    for name in ("before.jsonl", "after.jsonl"):
        shutil.copy(run, folder / name)
    for name in ("20260101-000000-aaaa.jsonl", "20260102-000000-bbbb.jsonl"):
        shutil.copy(run, runs / name)
    (folder / "gathered").mkdir()
    for name in ("node-a.jsonl", "node-b.jsonl"):
        shutil.copy(run, folder / "gathered" / name)
    (folder / "results/baselines").mkdir()
    shutil.copy(run, folder / "results/baselines/main.jsonl")
    (folder / "cnbench.toml").write_text(PRESET)
    (folder / "metrics.txt").touch()
    (folder / "openb").mkdir()
    (folder / "token").touch()
    for given in (Path(__file__).parent / "given").iterdir():
        shutil.copy(given, folder / given.name)
