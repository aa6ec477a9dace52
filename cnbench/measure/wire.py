"""Plans and events as lines of JSON, between the host and a guest."""

from __future__ import annotations

import json

from cnbench.core.codec import from_plain, to_plain
from cnbench.measure.events import (
    BlockEnded,
    CaseEnded,
    EnvironmentFound,
    Event,
    GroupStarted,
    Warned,
)

_EVENTS: dict[str, type[Event]] = {
    kind.__name__: kind for kind in (EnvironmentFound, GroupStarted, BlockEnded, CaseEnded, Warned)
}


def encode_event(event: Event) -> str:
    """``event`` as one line, without its end."""
    return json.dumps({"event": type(event).__name__, **to_plain(event)})


def decode_event(line: str) -> Event:
    """The inverse of ``encode_event``.

    Raises:
        ValueError: the line is not an event.
    """
    try:
        plain = json.loads(line)
        return from_plain(_EVENTS[plain.pop("event")], plain)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not an event: {line[:200]}") from error
