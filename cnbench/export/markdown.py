"""GitHub's Markdown: what a text has to look like in it to be read as it is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

# What Markdown or HTML in it would take for its own (CommonMark 0.31, section 2.4).
_MEANT = re.compile(r"([\\`*_{}\[\]<>#|~&!])")
# All that breaks a line or may be broken, which a no-break space may not.
_SPACE = re.compile(r"[^\S\u00a0]+")
# What GitHub makes a link to a person, an issue or a team of, and so tells them of.
_MENTION = re.compile(r"@(?=\w)")


def plain(text: str) -> str:
    """``text`` as it is, in one line, of which nobody is told."""
    return _MENTION.sub("@\u200b", _MEANT.sub(r"\\\1", _SPACE.sub(" ", text).strip(" ")))


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """The lines of a table; cells are plain text."""
    yield line(head)
    yield "|" + "---|" * len(head)
    for row in rows:
        yield line(row)


def line(cells: Iterable[str]) -> str:
    """One line of a table; cells are plain text."""
    return "| " + " | ".join(map(plain, cells)) + " |"
