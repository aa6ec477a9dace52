"""Where each page of the site stands."""

from __future__ import annotations

from collections.abc import Iterable

# By the words of the headings that they stand below; whatever nothing names is in the last part.
_FIRST = (
    "experiments/index",
    "labs-and-clocks",
    "experiment-in-60-lines",
    "notebook",
    "fleets",
    "ci",
)
_MEANING = ("statistics", "reliability", "run-files", "speed")
_PROJECT = ("architecture", "contributing", "asv", "changelog", "security")


def trees(pages: Iterable[str]) -> str:
    """The tables of contents of the first page, over ``pages``: names without their ending."""
    found = sorted(page for page in pages if page != "index" and "/" not in page)
    known = {*_FIRST, *_MEANING, *_PROJECT}
    there = {*found, "experiments/index"}
    parts = {
        "Measuring": [page for page in _FIRST if page in there],
        "What the numbers mean": [page for page in _MEANING if page in there],
        "Subjects": [page for page in found if page not in known],
        "The project": [page for page in _PROJECT if page in there],
    }
    return "\n".join(tree(caption, of) for caption, of in parts.items() if of)


def tree(caption: str, pages: Iterable[str]) -> str:
    """One table of contents, which is in the side bar alone."""
    options = [":hidden:", *([f":caption: {caption}"] if caption else [])]
    return "\n".join(["```{toctree}", *options, "", *pages, "```", ""])
