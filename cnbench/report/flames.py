"""A profile as a flame graph: stacks side by side, each function as wide as what it executed.

SVG without a script, whose colours are the page's, or its own where there is no page (Brendan
Gregg, "The Flame Graph", CACM 59(6), 2016). A function's figures are in its title, which a browser
shows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html import escape

from cnbench.analysis.profile.stacks import Stack

_WIDTH = 1000
_HEIGHT = 18
# Of an average glyph of the page's small text, in pixels: what does not fit is cut.
_GLYPH = 6.6
# What is narrower than that is drawn by nobody's screen.
_NARROWEST = 0.4
# Variables of the report's style sheet, and what stands for them elsewhere.
_COLOURS = {
    "kernel": "var(--s1, #0072b2)",
    "module": "var(--s2, #d55e00)",
    "beside": "var(--s7, #6b6f76)",
}
_INK, _PAPER = "var(--ink, #1b1f24)", "var(--paper, #ffffff)"


@dataclass
class _Frame:
    """A function in one place of the stacks; ``count`` is with all that it called."""

    name: str
    count: int = 0
    called: dict[str, _Frame] = field(default_factory=dict)


def flame_graph(stacks: Mapping[Stack, int], label: str) -> str:
    """The SVG of ``stacks``, which says ``label`` to those who do not see it.

    Callers are below; what a function called is above it, in the order of the names.
    """
    whole = _Frame("all")
    for stack, count in stacks.items():
        _add(whole, stack, count)
    scale = _WIDTH / max(whole.count, 1)
    boxes = list(_boxes(whole, 0, 0.0, scale))
    rows = 1 + max((row for row, *_ in boxes), default=0)
    drawn = "".join(_drawn(row, x, frame, whole.count, scale, rows) for row, x, frame in boxes)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {rows * _HEIGHT}"'
        f' role="img" aria-label="{escape(label)}" font-family="sans-serif" font-size="11"'
        f'><rect width="100%" height="100%" fill="{_PAPER}"/>{drawn}</svg>'
    )


def _add(frame: _Frame, stack: Stack, count: int) -> None:
    frame.count += count
    for name in stack:
        frame = frame.called.setdefault(name, _Frame(name))
        frame.count += count


def _boxes(frame: _Frame, row: int, x: float, scale: float) -> Iterator[tuple[int, float, _Frame]]:
    if frame.count * scale < _NARROWEST:
        return
    yield row, x, frame
    for name in sorted(frame.called):
        yield from _boxes(frame.called[name], row + 1, x, scale)
        x += frame.called[name].count * scale


def _drawn(row: int, x: float, frame: _Frame, whole: int, scale: float, rows: int) -> str:
    width, y = frame.count * scale, (rows - 1 - row) * _HEIGHT
    said = f"{frame.name}: {frame.count:,} instructions, {frame.count / whole:.2%}"
    room = int((width - 4) / _GLYPH)
    text = frame.name if len(frame.name) <= room else frame.name[: room - 1] + "\u2026"
    shown = f'<text x="{x + 2:.1f}" y="{y + 13}" fill="{_INK}">{escape(text)}</text>'
    return (
        f'<g><title>{escape(said)}</title><rect x="{x:.1f}" y="{y}" width="{width:.1f}"'
        f' height="{_HEIGHT - 1}" rx="1" fill="{_colour(frame.name)}" fill-opacity="0.28"/>'
        f"{shown if room > 2 else ''}</g>"
    )


def _colour(name: str) -> str:
    if name.startswith("[") or (" " in name and not name.endswith("]")) or name == "all":
        return _COLOURS["beside"]
    return _COLOURS["module" if name.endswith("]") else "kernel"]
