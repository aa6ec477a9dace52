"""Answers and claims in a terminal: a heading, and what was measured, folded below it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache

from rich.console import Console
from rich.text import Text

from cnbench.analysis.answers import Finding, Verdict
from cnbench.core.units import format_count

_STYLES = {
    Verdict.CONFIRMED: "green",
    Verdict.REFUTED: "red",
    Verdict.INCONCLUSIVE: "yellow",
    Verdict.NOT_TESTABLE: "dim",
}
# Lines that are longer are hard to read, however wide the terminal.
_WIDEST = 100
_INDENT = 2
# A figure with its unit and its interval, and what stands in brackets.
_WHOLE = re.compile(r"[-+−]?\d[\d.,]*×?(?: (?:[kMG] )?[^\s\d\[(]+)?(?: \[[^\]]*\])|\([^)]*\)")


def print_answers(out: Console, findings: Sequence[Finding]) -> None:
    """Every question with its answer."""
    for finding in findings:
        _print(out, finding.answer.question, style="bold")
        _print(out, finding.sentence, _INDENT, dim=where(finding))


def print_claims(out: Console, claims: Sequence[tuple[str, list[Finding]]]) -> None:
    """Every statement: its verdicts, with what decided, and the command that repeats it."""
    for statement, alike in claims:
        _print(out, statement, style="bold")
        for finding in alike:
            verdict = finding.verdict.value
            told = Text(f"{verdict}: {finding.evidence}")
            told.stylize(_STYLES[finding.verdict], 0, len(verdict))
            _print(out, told, _INDENT, dim=where(finding) if finding.where else "")
        # Whole on its line, to be copied.
        command = Text(f"{' ' * _INDENT}cnbench {alike[0].answer.repeat}", style="dim")
        out.print(command, soft_wrap=True)
    out.print()
    _print(out, totals(claims))


def where(finding: Finding) -> str:
    """Where a finding is from, and whether its cases shared no blocks."""
    return f"({finding.where}, unpaired)" if finding.unpaired else f"({finding.where})"


def totals(claims: Sequence[tuple[str, list[Finding]]]) -> str:
    """How many statements there are, and how many verdicts of each kind."""
    counts = Counter(finding.verdict for _, findings in claims for finding in findings)
    told = ", ".join(f"{counts[verdict]} {verdict.value}" for verdict in Verdict if counts[verdict])
    return f"{format_count(len(claims), 'claim')}: {told}"


def _print(
    out: Console, text: Text | str, indent: int = 0, *, style: str = "", dim: str = ""
) -> None:
    """``text``, and ``dim`` after it, folded where no figure is torn apart."""
    told = Text(style=style).append(text).append("  " if dim else "").append(dim, style="dim")
    width = min(out.width, _WIDEST) - indent
    for start, end in _folds(told.plain, width):
        line = Text(" " * indent).append(told[start:end])
        out.print(line, soft_wrap=True)


def _folds(text: str, width: int) -> Iterator[tuple[int, int]]:
    """Where each line of at most ``width`` letters begins and ends."""
    start = 0
    while start < len(text):
        end = min(start + width, len(text))
        breaks = [gap for gap in _gaps(text) if start < gap <= end]
        if end < len(text) and breaks:
            end = breaks[-1]
        yield start, len(text[:end].rstrip())
        start = end + (len(text[end:]) - len(text[end:].lstrip()))


@cache
def _gaps(text: str) -> tuple[int, ...]:
    """The spaces at which ``text`` may be folded: none of them inside a figure or a bracket."""
    whole = [match.span() for match in _WHOLE.finditer(text)]
    return tuple(
        at
        for at, letter in enumerate(text)
        if letter == " " and not any(start < at < end for start, end in whole)
    )
