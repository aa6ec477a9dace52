"""The outcome of a comparison as a comment on a pull request, in GitHub's Markdown.

What is worse comes first, what is equivalent is folded away, and everything that a reader needs to
trust a line stands below: what it was measured on, how large an effect matters, what else differs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from cnbench.analysis.compared import Compared
from cnbench.analysis.compared_text import (
    common,
    effect_text,
    interval_text,
    notes,
    points,
    reasons,
    unknowns,
)
from cnbench.analysis.number_format import median_text
from cnbench.analysis.outcome import Outcome
from cnbench.core.units import FRACTION, format_count, format_quantity
from cnbench.export.markdown import plain, table
from cnbench.stats.verdict import Verdict

# Whoever replaces an earlier comment by a later one knows it by this line.
MARK = "<!-- cnbench compare -->"
# A comment has at most 65,536 characters (GitHub's REST API); a line has up to some two hundred.
_MOST_ROWS = 150
_MOST_REASONS = 5
_NO_BREAK = "\u00a0"

_HEAD = ("base", "head", "change", "95 % interval", "verdict")
_ORDER = (Verdict.WORSE, Verdict.INCONCLUSIVE, Verdict.BETTER, Verdict.EQUIVALENT)

_Line = tuple[Compared, Mapping[str, str]]


def shown(outcome: Outcome) -> str:
    """See ``outcomes.Format``."""
    found = points(outcome.compared, outcome.units)
    lines = list(zip(outcome.compared, found, strict=True))
    changed = [line for line in lines if line[0].judgement.verdict is not Verdict.EQUIVALENT]
    alike = [line for line in lines if line[0].judgement.verdict is Verdict.EQUIVALENT]
    same = common(found)
    said = [MARK, f"### cnbench: {outcome.verdict.value}", "", _summary(outcome.compared, same)]
    if changed:
        said += ["", *_table(changed, same)]
    if left_open := _few(reasons(outcome.compared)):
        said += ["", *(f"- inconclusive: {plain(why)}" for why in left_open)]
    said += _claims(outcome)
    if alike:
        said += ["", *_folded(format_count(len(alike), "equivalent", "equivalent"), alike, same)]
    said += ["", "<details><summary>How this was measured</summary>", ""]
    said += [f"- {sentence}" for sentence in _circumstances(outcome, same)]
    return "\n".join([*said, "", "</details>"])


def _summary(compared: Sequence[Compared], same: Mapping[str, str]) -> str:
    """How many lines have which verdict, and how large an effect matters."""
    counts = {
        verdict: sum(comparison.judgement.verdict is verdict for comparison in compared)
        for verdict in _ORDER
    }
    told = ", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count)
    margins = dict.fromkeys(
        _margin(each) for each in sorted(compared, key=lambda each: each.margin)
    )
    told = f"{told}; an effect matters from ±{' or ±'.join(margins)} on."
    return f"{plain(same['metric'])}: {told}" if "metric" in same else told


def _margin(comparison: Compared) -> str:
    unit = FRACTION if comparison.metric.scale == "ratio" else comparison.b.unit
    return format_quantity(comparison.margin, unit)


def _table(lines: Sequence[_Line], same: Mapping[str, str]) -> Iterator[str]:
    naming = ["case"] if "metric" in same else ["case", "metric"]
    rows = [
        ((case_of(point, same), point["metric"])[: len(naming)] + _figures(line))
        for line, point in lines
    ]
    yield from table((*naming, *_HEAD), rows[:_MOST_ROWS])
    if len(rows) > _MOST_ROWS:
        yield ""
        yield f"… and {len(rows) - _MOST_ROWS} more, which `cnbench compare` lists."


def case_of(point: Mapping[str, str], same: Mapping[str, str]) -> str:
    """What tells this line from the others; of one case alone, the experiment."""
    told = [
        value if name in ("experiment", "kernel") else f"{name} {value}"
        for name, value in point.items()
        if name != "metric" and name not in same
    ]
    return ", ".join(told) or point["experiment"]


def _figures(comparison: Compared) -> tuple[str, ...]:
    unknown = "*" if comparison.unknown else ""
    figures = (
        median_text(comparison.a),
        median_text(comparison.b),
        effect_text(comparison),
        f"{interval_text(comparison)}{unknown}",
    )
    # A figure and its unit stay on one line.
    whole = (figure.replace(" ", _NO_BREAK) for figure in figures)
    return (*whole, comparison.judgement.verdict.value)


def _few(sentences: Sequence[str]) -> list[str]:
    left = len(sentences) - _MOST_REASONS
    return [*sentences[:_MOST_REASONS], *([f"{left} other reasons"] if left > 0 else [])]


def _claims(outcome: Outcome) -> Iterator[str]:
    if outcome.claims:
        yield ""
        yield "**Claims that changed**"
        yield ""
    for change in outcome.claims:
        before, after = change.before.verdict.value, change.after.verdict.value
        evidence = plain(change.after.evidence)
        yield f"- {plain(change.statement)}: {before} → **{after}** ({evidence})"


def _folded(summary: str, lines: Sequence[_Line], same: Mapping[str, str]) -> Iterator[str]:
    yield f"<details><summary>{summary}</summary>"
    yield ""
    yield from _table(lines, same)
    yield ""
    yield "</details>"


def _circumstances(outcome: Outcome, same: Mapping[str, str]) -> Iterator[str]:
    """What a reader must know to trust the lines, a sentence each, in Markdown."""
    told = " ".join(f"{name}={value}" for name, value in same.items() if name != "metric")
    yield f"Alike in all lines: {plain(told)}"
    b = outcome.runs[-1]
    for environment in b.fingerprints.values():
        cpu = environment.machine.get("cpu", "unknown CPU")
        where = f"{environment.lab}, {environment.clock} clock, Linux {environment.kernel}, {cpu}"
        yield f"Measured on: {plain(where)}, by cnbench {plain(b.cnbench)}"
    for difference in outcome.differences:
        yield f"{plain(f'{difference.what}: {difference.one} → {difference.other}')}"
    for unknown, sentence in unknowns(outcome.compared):
        yield f"{unknown}: unknown. {plain(sentence)}"
    yield from map(plain, notes(outcome.compared))
    runs = " and ".join(f"`{run.id}`" for run in outcome.runs)
    yield f"Runs {runs}" if len(outcome.runs) > 1 else f"Run {runs}"
