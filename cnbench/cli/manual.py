"""The manual page, of what every command says of itself: cnbench(1), in man(7)'s macros.

Not by click-man (0.6.0): it knows no commands that are imported when they are called, fills up
examples into paragraphs, and lets a line that begins with a dot become a request of roff.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping

import click

from cnbench.core.errors import ExitCode

EXIT_STATUS: Mapping[int, str] = {
    ExitCode.FINE: "fine; for compare: better, or equivalent within the margin",
    ExitCode.WORSE: "worse beyond the margin",
    ExitCode.USAGE: "bad usage or input",
    ExitCode.INCONCLUSIVE: "inconclusive: too short or too noisy to tell; the message says which",
    ExitCode.NOT_COMPARABLE: "the environments are not comparable (unless --force)",
    ExitCode.FAILED: "an experiment failed, or nothing could be measured",
    130: "stopped by Ctrl-C, SIGTERM or SIGHUP; cnbench run --resume goes on",
}
ENVIRONMENT = {
    "CNBENCH_RESULTS": "the folder of run files; results/runs below the current one by default",
    "CNBENCH_CACHE": "the folder of guests; cnbench below XDG_CACHE_HOME or ~/.cache by default",
    "CNBENCH_DEBIAN_MIRROR": "the mirror that guests are made from; apt's own by default",
    "CNBENCH_DEBUG": "if set, a fault of cnbench's own is shown with its traceback",
}
FILES = {
    "cnbench.toml": "presets of cnbench run, in the current folder or above it in its repository",
    "results/runs": "run files, a line of JSON a record",
    "results/baselines": "runs that have been given a name",
}
# The character by which a docstring keeps click from filling a paragraph.
_AS_IT_STANDS = "\b"
_HELP = "--help"


def page(root: click.Context, version: str) -> Iterator[str]:
    """The lines of the page of the command whose context is ``root``.

    Args:
        root: of the whole program, with the name that it is called by.
        version: of the program.
    """
    name = root.info_name or ""
    yield f'.TH {name.upper()} 1 "" "{name} {version}" "User Commands"'
    yield ".SH NAME"
    yield f"{name} \\- {_escaped(_first_sentence(root.command).rstrip('.'))}"
    yield ".SH SYNOPSIS"
    yield _usage(root)
    yield ".SH DESCRIPTION"
    yield from _text(root.command.help or "")
    yield ".SH COMMANDS"
    for context in _commands(root):
        yield f'.SS "{_escaped(context.command_path)}"'
        yield _usage(context)
        yield ".PP"
        yield from _text(context.command.help or "")
        yield from _options(context)
    for title, entries in (
        ("EXIT STATUS", {str(int(code)): what for code, what in EXIT_STATUS.items()}),
        ("ENVIRONMENT", ENVIRONMENT),
        ("FILES", FILES),
    ):
        yield f".SH {title}"
        for term, what in entries.items():
            yield from (".TP", f".B {_escaped(term)}", _escaped(what))


def _commands(context: click.Context) -> Iterator[click.Context]:
    """Every command below ``context``, those of groups after their group, in the help's order."""
    group = context.command
    if not isinstance(group, click.Group):
        return
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is not None and not command.hidden:
            found = click.Context(command, info_name=name, parent=context)
            yield found
            yield from _commands(found)


def _usage(context: click.Context) -> str:
    pieces = context.command.collect_usage_pieces(context)
    return f".B {_escaped(context.command_path)}\n{_escaped(' '.join(pieces))}"


def _text(written: str) -> Iterator[str]:
    """A docstring's paragraphs; one that begins with ``\\b`` is set as it stands."""
    for number, paragraph in enumerate(re.split(r"\n\s*\n", inspect.cleandoc(written))):
        if number:
            yield ".PP"
        lines = paragraph.split("\n")
        if lines[0].strip() == _AS_IT_STANDS:
            yield from (".nf", *map(_escaped, lines[1:]), ".fi")
        else:
            yield _escaped(" ".join(paragraph.split()))


def _options(context: click.Context) -> Iterator[str]:
    for parameter in context.command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None and _HELP not in parameter.opts:
            yield from (".TP", f".B {_escaped(record[0])}", _escaped(" ".join(record[1].split())))


def _first_sentence(command: click.Command) -> str:
    return " ".join((command.help or "").partition("\n\n")[0].split())


def _escaped(text: str) -> str:
    """``text`` as roff prints it: see "Portability" in groff_char(7)."""
    plain = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq")
    plain = plain.replace("^", "\\(ha").replace("~", "\\(ti").replace("`", "\\(ga")
    return f"\\&{plain}" if plain.startswith((".", "\\(aq")) else plain
