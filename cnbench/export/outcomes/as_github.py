"""The outcome of a comparison as annotations of a GitHub Actions workflow, and its job summary.

An annotation is a line on stdout that GitHub takes for a command. Source: "Workflow commands for
GitHub Actions" in GitHub's documentation; how they are escaped is in actions/toolkit,
packages/core/src/command.ts. Of a step, ten of each level are shown.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from cnbench.analysis.compared_text import common, effect_text, interval_text, points
from cnbench.analysis.outcome import Outcome
from cnbench.export.outcomes import as_markdown
from cnbench.stats.verdict import Verdict

SUMMARY_VARIABLE = "GITHUB_STEP_SUMMARY"

_LEVELS = {Verdict.WORSE: "error", Verdict.INCONCLUSIVE: "warning", Verdict.BETTER: "notice"}
_MOST_OF_A_LEVEL = 10


def shown(outcome: Outcome) -> str:
    """See ``outcomes.Format``; the summary is appended to the file that GitHub names, if it does.

    Raises:
        OSError: that file could not be written.
    """
    if summary := os.environ.get(SUMMARY_VARIABLE):
        with Path(summary).open("a", encoding="utf-8") as file:
            file.write(as_markdown.shown(outcome) + "\n")
    return "\n".join([*_annotations(outcome), outcome.verdict.value])


def _annotations(outcome: Outcome) -> Iterator[str]:
    told: dict[str, list[str]] = {}
    for level, title, sentence in _messages(outcome):
        told.setdefault(level, []).append(_command(level, title, sentence))
    for level, commands in told.items():
        if len(commands) <= _MOST_OF_A_LEVEL:
            yield from commands
            continue
        shown_first = commands[: _MOST_OF_A_LEVEL - 1]
        yield from shown_first
        left = len(commands) - len(shown_first)
        yield _command(level, "cnbench", f"{left} more like these: see the job's summary")


def _messages(outcome: Outcome) -> Iterator[tuple[str, str, str]]:
    """Level, title and sentence of each annotation."""
    found = points(outcome.compared, outcome.units)
    same = common(found)
    for comparison, point in zip(outcome.compared, found, strict=True):
        verdict = comparison.judgement.verdict
        if level := _LEVELS.get(verdict):
            case = as_markdown.case_of(point, same)
            effect = f"{effect_text(comparison)} [{interval_text(comparison)}]"
            title = f"cnbench: {point['metric']} {verdict.value}"
            yield level, title, f"{case}: {effect}; {comparison.judgement.reason}"
    for change in outcome.claims:
        before, after = change.before.verdict.value, change.after.verdict.value
        yield "notice", "cnbench: claim", f"{change.statement}: {before} → {after}"


def _command(level: str, title: str, sentence: str) -> str:
    escaped = _escaped(title).replace(":", "%3A").replace(",", "%2C")
    return f"::{level} title={escaped}::{_escaped(sentence)}"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
