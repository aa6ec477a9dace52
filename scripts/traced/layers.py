"""Whose time it is: each moment of a start belongs to the innermost layer that is at work."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

Span = tuple[int, int]


def own_times(whole: Span, inner_first: Sequence[Iterable[Span]]) -> list[int]:
    """What each layer has of a start for itself.

    Args:
        whole: from the call to the container's program, in ns.
        inner_first: when each layer was at work, the innermost first. One that works for another
            does so inside the other's time.

    Returns:
        The ns in which the layer was the innermost at work, one a layer, and last those in which
        none was: the caller's own.
    """
    spans: list[Span] = []
    before, own = 0, []
    for layer in inner_first:
        spans += layer
        covered = length(spans, whole)
        own.append(covered - before)
        before = covered
    return [*own, whole[1] - whole[0] - before]


def length(spans: Iterable[Span], within: Span) -> int:
    """How much of ``within`` the spans cover together."""
    covered, reached = 0, within[0]
    for began, ended in sorted(spans):
        until = min(ended, within[1])
        covered += max(0, until - max(began, reached))
        reached = max(reached, until)
    return covered


def at_work(lives: Iterable[Span], whole: Span) -> list[Span]:
    """When a runtime's commands were at work during a start.

    The last of them begins the container, which becomes its program some time after that command
    has ended: all that time is the runtime's.
    """
    inside = sorted((began, ended) for began, ended in lives if whole[0] < began < whole[1])
    return [*inside[:-1], (inside[-1][0], whole[1])] if inside else []
