"""An experiment's page: what its code declares, around what was written by hand.

By hand are *How to read it* and *Traps*, in ``docs/experiments/NAME.md``; the question, the method,
the proofs, parameters, metrics, answers and published figures are the experiment's own.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterable, Iterator
from types import ModuleType

from cnbench.analysis.answers import all_answers
from cnbench.analysis.published import all_published
from cnbench.analysis.published.figure import Figure
from cnbench.cli.machine.listing import values_in_words
from cnbench.core.experiment import Experiment
from cnbench.core.units import format_quantity
from cnbench.experiments import registry


def overview() -> str:
    """The page that lists all of them."""
    lines = [
        "# Experiments",
        "",
        "Each measures one primitive, and answers one question. Its page says how, what proves it,"
        " and what to know before its numbers are believed.",
        "",
        *_table(
            ("experiment", "question", "compares"),
            (
                (f"[{name}]({name}.md)", experiment.question, f"`{experiment.variant}`")
                for name, experiment in registry.all_experiments().items()
            ),
        ),
    ]
    return "\n".join(lines) + "\n"


def page(name: str, written: str) -> str:
    """The page of the experiment called ``name``, with the sections ``written`` by hand."""
    experiment = registry.experiment_called(name)
    heading, _, by_hand = written.strip().partition("\n")
    parts = [
        heading,
        f"**{experiment.question}**",
        _block("console", f"$ cnbench run {name}"),
        "## How it is measured",
        _method(name),
        *([_admonished(experiment.caveat)] if experiment.caveat else []),
        *_proofs(name),
        by_hand.strip(),
        "## Parameters",
        *_parameters(experiment),
        "## Metrics",
        *_metrics(experiment),
        *_conditions(experiment),
        *_answers(name),
        *_published(name),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _method(name: str) -> str:
    """The docstring of the experiment's module, without its first line, which is the question."""
    said = inspect.getdoc(importlib.import_module(registry.module_of(name))) or ""
    return said.partition("\n\n")[2]


def _proofs(name: str) -> Iterator[str]:
    """What the docstrings of its subjects' proofs say."""
    told = dict.fromkeys(_first_paragraph(kind.proof) for kind in _proven(name))
    if told:
        yield "## What proves it"
        yield "\n".join(f"- {said}" for said in told)


def _proven(name: str) -> Iterator[type]:
    """The classes of an experiment that have a proof: its own, and those it borrows."""
    for module in _modules(name):
        for found in vars(module).values():
            borrowed = not getattr(found, "__module__", "").startswith(("cnbench.core.", "typing"))
            if inspect.isclass(found) and borrowed and callable(getattr(found, "proof", None)):
                yield found


def _modules(name: str) -> Iterator[ModuleType]:
    """The modules of an experiment: one, or all of its folder."""
    module = importlib.import_module(registry.module_of(name))
    yield module
    for part in pkgutil.iter_modules(getattr(module, "__path__", [])):
        yield importlib.import_module(f"{module.__name__}.{part.name}")


def _first_paragraph(of: Callable[..., object]) -> str:
    return (inspect.getdoc(of) or "").partition("\n\n")[0].replace("\n", " ")


def _parameters(experiment: Experiment) -> Iterator[str]:
    quick, full = (experiment.grid(full, {}) for full in (False, True))
    rows = [
        (
            f"`{p.name}`",
            f"{p.summary}{' (compared)' if p.name == experiment.variant else ''}",
            values_in_words(p, p.quick, quick),
            values_in_words(p, p.full, full),
        )
        for p in experiment.parameters
    ]
    yield "\n".join(_table(("parameter", "what it is", "quick", "full"), rows))
    if any("*" in row[2] + row[3] for row in rows):
        yield "\\* which of them follows from the parameters above."


def _metrics(experiment: Experiment) -> Iterator[str]:
    rows = (
        (f"`{m.name}`", m.summary, m.unit_on("wall") or "none", m.better, m.scale)
        for m in experiment.metrics
    )
    names = ("metric", "what it is", "unit", "better", "compared as")
    yield "\n".join(_table(names, rows))


def _conditions(experiment: Experiment) -> Iterator[str]:
    said = []
    if experiment.tools:
        said.append(f"It drives {', '.join(f'`{tool}`' for tool in experiment.tools)}.")
    if experiment.counted:
        said.append("Its cost is that of executed code, so `asv` counts its instructions.")
    if experiment.alike:
        said.append(f"One set-up of a case stands for all: {experiment.alike}.")
    if said:
        yield "## What it needs"
        yield " ".join(said)


def _answers(name: str) -> Iterator[str]:
    found = [answer for answer in all_answers() if answer.experiment == name]
    if found:
        yield "## What it answers"
    for answer in found:
        yield f"**{answer.question}** Everybody says: *{answer.statement}.* Ask your machine:"
        yield _block("console", f"$ cnbench {answer.repeat}")


def _published(name: str) -> Iterator[str]:
    figures = [figure for figure in all_published() if figure.experiment == name]
    if figures:
        yield "## What others have measured"
        rows = ((f.what, f.conditions, _figure(f), f.source) for f in figures)
        yield "\n".join(_table(("what", "on what", "figure", "source"), rows))
        yield "`cnbench show --published` puts yours beside them, and says where that may be done."


def _figure(figure: Figure) -> str:
    texts = dict.fromkeys(format_quantity(v, figure.unit) for v in (figure.low, figure.high))
    return " to ".join(texts)


def _admonished(text: str) -> str:
    return f"> {text}"


def _block(language: str, text: str) -> str:
    return f"```{language}\n{text}\n```"


def _table(names: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    heading = list(names)
    return [_row(heading), _row("---" for _ in heading), *map(_row, rows)]


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
