"""Plans and events as lines of JSON, between the host and a guest."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import get_args

from cnbench.core.codec import from_plain, to_plain
from cnbench.measuring.events import (
    BlockEnded,
    CaseEnded,
    Event,
    GroupEnded,
    GroupReady,
    GroupStarted,
    WentOn,
    WorkAdvanced,
)

_EVENTS: dict[str, type[Event]] = {kind.__name__: kind for kind in get_args(Event)}


def encode_event(event: Event) -> str:
    """``event`` as one line, without its end."""
    return json.dumps({"event": type(event).__name__, **to_plain(event)})


def event_from_plain(plain: Mapping[str, object]) -> Event:
    """The event in a decoded line.

    Raises:
        ValueError: it is none.
    """
    try:
        return from_plain(_EVENTS[str(plain["event"])], plain)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not an event: {str(plain)[:200]}") from error


def of_group(event: Event, number: int) -> Event:
    """``event``, told of the group ``number``: a guest that measures one group calls it 0.

    So one that was saved can go on as any run's.
    """
    if isinstance(event, CaseEnded):
        return replace(event, result=replace(event.result, group=number))
    if isinstance(event, GroupStarted | GroupReady | WentOn | BlockEnded | GroupEnded):
        return replace(event, number=number)
    return replace(event, group=number) if isinstance(event, WorkAdvanced) else event
