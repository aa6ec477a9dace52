"""Answers and claims in a terminal: a heading, and what was measured, folded below it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.text import Text

from cnbench.analysis.answers import Finding, Verdict
from cnbench.analysis.number_format import count_text

_STYLES = {
    Verdict.CONFIRMED: "green",
    Verdict.REFUTED: "red",
    Verdict.INCONCLUSIVE: "yellow",
    Verdict.NOT_TESTABLE: "dim",
}
# Lines that are longer are hard to read, however wide the terminal.
_WIDEST = 100
_INDENT = 2


def print_answers(out: Console, findings: Sequence[Finding]) -> None:
    """Every question with its answer."""
    for finding in findings:
        _print(out, f"[bold]{escape(finding.answer.question)}[/]")
        _print(out, f"{escape(finding.sentence)}  [dim]{escape(where(finding))}[/]", _INDENT)


def print_claims(out: Console, claims: Sequence[tuple[str, list[Finding]]]) -> None:
    """Every statement: its verdicts, with what decided, and the command that repeats it."""
    for statement, alike in claims:
        _print(out, f"[bold]{escape(statement)}[/]")
        for finding in alike:
            verdict = f"[{_STYLES[finding.verdict]}]{finding.verdict.value}[/]"
            place = f"  [dim]{escape(where(finding))}[/]" if finding.where else ""
            _print(out, f"{verdict}: {escape(finding.evidence)}{place}", _INDENT)
        # Whole on its line, to be copied.
        command = f"{' ' * _INDENT}[dim]cnbench {escape(alike[0].answer.repeat)}[/]"
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
    return f"{count_text(len(claims), 'claim')}: {told}"


def _print(out: Console, text: str, indent: int = 0) -> None:
    width = min(out.width, _WIDEST) - indent
    for line in Text.from_markup(text).wrap(out, width):
        out.print(Padding(line, (0, 0, 0, indent), expand=False))
