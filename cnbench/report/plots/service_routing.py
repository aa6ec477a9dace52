"""service-routing: what a connection costs against the number of services, mode by mode."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from matplotlib.axes import Axes

from cnbench.analysis.chapters import Chapter, ChapterEntry, shorten
from cnbench.analysis.curves.service_growth import (
    sentences_of_costs,
    sentences_of_crossings,
    sentences_of_growth,
)
from cnbench.analysis.curves.service_routing import (
    BARE,
    DIRECT,
    METRIC,
    ServiceLine,
    lines_of,
    settings_of,
)
from cnbench.analysis.observed import values_in_pairs
from cnbench.analysis.rows import Row
from cnbench.core.metric import ClockName
from cnbench.core.units import format_times
from cnbench.report.plots import generic, service_programming
from cnbench.report.plots.axes import (
    count_axis,
    end_labels,
    ends_of,
    log_axis,
    show_on,
)
from cnbench.report.plots.drawing import Mark, draw_marks
from cnbench.report.plots.figures import Figures
from cnbench.report.svg import BAND, INK, MUTED, Panel, series
from cnbench.stats.intervals import Interval
from cnbench.stats.paired import paired_ratio

_STYLES = {
    "first": (":", "v"),
    "middle": ("--", "D"),
    "last": ("-", "o"),
    DIRECT: ("-", "s"),
    BARE: (":", "s"),
}
_OTHER_STYLE = ("-.", "^")
_HEIGHT = 300.0
# In shares of the axis: how close two of its labels may be, and how far lines are set apart.
_ASIDE = 0.008


def panels(chapter: Chapter) -> list[Panel]:
    """First one line a mode; then by position, as a multiple of the direct way; then the rest."""
    connects = chapter.having(METRIC)
    return [
        *(
            panel
            for draw_up in (_by_mode, _cost, _against_direct)
            for title, measured in settings_of(connects)
            if (panel := draw_up(connects, title, measured)) is not None
        ),
        *service_programming.panels(chapter),
        *generic.panels(chapter, but=(METRIC, *service_programming.METRICS)),
    ]


def _extent(chapter: Chapter, clock: ClockName) -> list[float]:
    """Every cost on this clock, so that all panels of costs have equal axes."""
    return ends_of(
        row for entry in chapter.ok if entry.origin.clock == clock and (row := entry.row(METRIC))
    )


def _by_mode(chapter: Chapter, title: str, measured: Sequence[ChapterEntry]) -> Panel | None:
    """The last of the services in each mode, where there is a line of them."""
    lines = lines_of(measured)
    last = [line for line in lines if line.position == "last" and len(line.points) > 1]
    if not last:
        return None
    bare = [line for line in lines if line.position == BARE and line.mode == last[0].mode]
    sentences = [
        *sentences_of_growth(last),
        *sentences_of_costs(lines),
        *sentences_of_crossings(last),
    ]
    return Panel(
        title=_join("Time to connect to the last service, against services", title),
        caption=f"{_caption(last)} Both axes logarithmic."
        f"{' Grey: over a node without rules.' if bare else ''} {' '.join(sentences)}",
        draw=partial(
            _draw_cost,
            _modes(chapter),
            [*last, *bare],
            _extent(chapter, measured[0].origin.clock),
            _mode_alone,
        ),
        height=_HEIGHT,
    )


def _cost(chapter: Chapter, title: str, measured: Sequence[ChapterEntry]) -> Panel:
    lines = lines_of(measured)
    return Panel(
        title=_join("Time to connect, by the service's position", title),
        caption=f"{_caption(lines)} Both axes logarithmic. Grey: straight to the endpoint, over a"
        " node with all rules (none of which matches) or over one without any (bare).",
        draw=partial(
            _draw_cost, _modes(chapter), lines, _extent(chapter, measured[0].origin.clock), _name
        ),
        height=_HEIGHT,
    )


def _caption(lines: Sequence[ServiceLine]) -> str:
    return generic.caption([row for line in lines for _, _, row in line.points], band=False)


def _draw_cost(
    modes: Sequence[str],
    lines: Sequence[ServiceLine],
    extent: Sequence[float],
    name: Callable[[ServiceLine], str],
    ax: Axes,
) -> None:
    row = lines[0].points[0][2]
    count_axis(ax.xaxis, _sizes(lines), "services")
    log_axis(ax.yaxis, extent, show_on(row.metric, row.clock), row.unit)
    labels = []
    for line, aside in zip(lines, _aside(lines), strict=True):
        colour = _colour(modes, line)
        style, marker = _STYLES.get(line.position, _OTHER_STYLE)
        ax.plot(
            [size * aside for size, _, _ in line.points],
            [row.interval.estimate for _, _, row in line.points if row.interval],
            color=colour,
            linestyle=style,
            linewidth=1.0 if line.position in (DIRECT, BARE) else 1.6,
        )
        draw_marks(
            ax,
            [
                Mark(size * aside, row.interval, colour, marker)
                for size, _, row in line.points
                if row.interval
            ],
        )
        last = line.points[-1][2].interval
        if last is not None:
            labels.append((name(line), last.estimate, colour))
    end_labels(ax, labels, _HEIGHT)


def _against_direct(chapter: Chapter, title: str, measured: Sequence[ChapterEntry]) -> Panel | None:
    """The same in quotients by the direct one in the same blocks, which most noise cancels in."""
    lines = lines_of(measured)
    direct = {
        (line.mode, size): entry
        for line in lines
        if line.position == DIRECT
        for size, entry, _ in line.points
    }
    quotients = [
        (line, [(size, ratio, row) for size, ratio, row in _ratios(line, direct)])
        for line in lines
        if line.position not in (DIRECT, BARE)
    ]
    quotients = [(line, points) for line, points in quotients if points]
    if not quotients:
        return None
    return Panel(
        title=_join("Through the Service, as a multiple of straight to the endpoint", title),
        caption="Dots: median over blocks of the quotient of both in the same block, in which a"
        " slow spell of the machine cancels; lines: 95 % interval; grey band: noise floor measured"
        " by A/A′. 1× is a connection straight to the endpoint on the same node. No rule matches"
        " it, but where rules are a list it is compared with all of them, so that an early service"
        " can cost less than none.",
        draw=partial(_draw_quotients, _modes(chapter), quotients),
        height=_HEIGHT,
    )


def _ratios(
    line: ServiceLine, direct: dict[tuple[str, float], ChapterEntry]
) -> Iterable[tuple[float, Interval, Row]]:
    for size, entry, row in line.points:
        control = direct.get((line.mode, size))
        if control is None or control.result.group != entry.result.group:
            continue
        before, after = values_in_pairs(control.result.samples, entry.result.samples, METRIC)
        if before.size:
            yield size, paired_ratio(before, after), row


def _draw_quotients(
    modes: Sequence[str],
    quotients: Sequence[tuple[ServiceLine, list[tuple[float, Interval, Row]]]],
    ax: Axes,
) -> None:
    count_axis(ax.xaxis, _sizes([line for line, _ in quotients]), "services")
    noise = _noise_by_size([(size, row) for _, points in quotients for size, _, row in points])
    values = [
        value
        for _, points in quotients
        for _, ratio, _ in points
        for value in (ratio.estimate, ratio.low, ratio.high)
        if 0 < value < math.inf
    ]
    edges = [edge for floor in noise.values() for edge in (1 + floor, 1 / (1 + floor))]
    log_axis(ax.yaxis, [1.0, *values, *edges], format_times, "")
    ax.fill_between(
        list(noise),
        [1 / (1 + floor) for floor in noise.values()],
        [1 + floor for floor in noise.values()],
        color=BAND,
        linewidth=0,
    )
    ax.axhline(1, color=INK, linewidth=0.8)
    labels = []
    asides = _aside([line for line, _ in quotients])
    for (line, points), aside in zip(quotients, asides, strict=True):
        colour = _colour(modes, line)
        style, marker = _STYLES.get(line.position, _OTHER_STYLE)
        ax.plot(
            [size * aside for size, _, _ in points],
            [ratio.estimate for _, ratio, _ in points],
            color=colour,
            linestyle=style,
        )
        draw_marks(ax, [Mark(size * aside, ratio, colour, marker) for size, ratio, _ in points])
        labels.append((_name(line), points[-1][1].estimate, colour))
    end_labels(ax, labels, _HEIGHT)


def _noise_by_size(points: Iterable[tuple[float, Row]]) -> dict[float, float]:
    """The largest noise floor at each size, in rising order of the sizes."""
    found: dict[float, float] = {}
    for size, row in points:
        if row.noise is not None and math.isfinite(row.noise):
            found[size] = max(found.get(size, 0.0), row.noise)
    return dict(sorted(found.items()))


def _aside(lines: Sequence[ServiceLine]) -> list[float]:
    """A factor for each line's sizes, which keeps the intervals from hiding one another."""
    step = _ASIDE * _decades(_sizes(lines))
    return [10 ** (step * (turn - (len(lines) - 1) / 2)) for turn in range(len(lines))]


def _sizes(lines: Sequence[ServiceLine]) -> list[float]:
    return sorted({size for line in lines for size, _, _ in line.points})


def _decades(sizes: Sequence[float]) -> float:
    return max(math.log10(sizes[-1] / sizes[0]), math.log10(2))


def _modes(chapter: Chapter) -> list[str]:
    return [str(mode) for mode in chapter.values("mode")]


def _colour(modes: Sequence[str], line: ServiceLine) -> str:
    return MUTED if line.position in (DIRECT, BARE) else series(modes.index(line.mode))


def _mode_alone(line: ServiceLine) -> str:
    return "no rules" if line.position == BARE else shorten(line.mode, 24)


def _name(line: ServiceLine) -> str:
    if line.position == DIRECT:
        return shorten(f"{line.mode} · direct", 24)
    return shorten(f"{line.mode} · {line.position}", 24)


def _join(title: str, setting: str) -> str:
    return f"{title} ({setting})" if setting else title


FIGURES = Figures(
    experiment="service-routing",
    metrics=frozenset({METRIC}),
    numbers=frozenset({"services"}),
    words=frozenset({"mode", "position"}),
    panels=panels,
)
