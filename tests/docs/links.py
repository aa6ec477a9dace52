"""What a site's pages refer to: what is not there, and what they would fetch from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

# What a browser fetches by itself, tag by tag; a link of these kinds is fetched, too.
FETCHED = {"script": "src", "img": "src", "source": "src", "iframe": "src", "object": "data"}
FETCHED_LINKS = {"stylesheet", "icon", "preload", "prefetch", "modulepreload", "manifest"}
IN_A_STYLE = re.compile(r"""(?:url\(|@import\s+)\s*["']?(?:https?:)?//[^"')\s]+""")


@dataclass
class Page(HTMLParser):
    """A page's references and the places in it that may be referred to."""

    references: list[str] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)
    places: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.places |= {found[name] for name in ("id", "name") if name in found}
        if tag == "a" and "href" in found:
            self.references.append(found["href"])
        if tag in FETCHED and FETCHED[tag] in found:
            self.fetched.append(found[FETCHED[tag]])
        if tag == "link" and FETCHED_LINKS & set(found.get("rel", "").split()):
            self.fetched.append(found["href"])


def broken(site: Path) -> Iterator[str]:
    """Every reference of a page of ``site`` to a file or to a place in one that is not there."""
    pages = {path: _read(path) for path in sorted(site.rglob("*.html"))}
    for path, page in pages.items():
        for reference in [*page.references, *page.fetched]:
            parts = urlsplit(reference)
            if parts.scheme or parts.netloc:
                continue
            named = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            there = pages[named].places if named in pages else set()
            place = unquote(parts.fragment)
            if not named.is_file() or (place and named in pages and place not in there):
                yield f"{path.relative_to(site)}: {reference}"


def from_elsewhere(site: Path) -> Iterator[str]:
    """Every thing that a page or a style sheet of ``site`` has a browser fetch from elsewhere."""
    for path in sorted(site.rglob("*.html")):
        for reference in _read(path).fetched:
            if urlsplit(reference).netloc:
                yield f"{path.relative_to(site)}: {reference}"
    for path in sorted([*site.rglob("*.css"), *site.rglob("*.html")]):
        for found in IN_A_STYLE.findall(path.read_text()):
            yield f"{path.relative_to(site)}: {found}"


def _read(path: Path) -> Page:
    page = Page()
    page.feed(path.read_text())
    return page
