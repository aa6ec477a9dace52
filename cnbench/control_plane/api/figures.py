"""What servers count of themselves: /metrics, in Prometheus' text format."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

_LINE = re.compile(r"^(?P<name>[A-Za-z_:][\w:]*)(?:\{(?P<labels>.*)\})? (?P<value>\S+)$")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')

Labels = Mapping[str, str]


def figures(text: str, name: str) -> Iterator[tuple[Labels, float]]:
    """The labels and the value of every series called ``name``."""
    for line in text.splitlines():
        if line.startswith(name) and (found := _LINE.match(line)) and found["name"] == name:
            yield dict(_LABEL.findall(found["labels"] or "")), float(found["value"])


def total(text: str, name: str, counts: Callable[[Labels], bool] = lambda labels: True) -> float:
    """The sum of the series called ``name`` whose labels ``counts``; 0 of none."""
    return sum(value for labels, value in figures(text, name) if counts(labels))
