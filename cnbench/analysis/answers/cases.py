"""Picking from a chapter the cases that an answer is about, venue by venue."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cnbench.analysis.chapters import Chapter, ChapterEntry, Origin
from cnbench.core.parameter import Params, Value


@dataclass(frozen=True)
class Why:
    """Why a case has no figures: what its result says, or that it was not measured."""

    label: str
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.label}: {self.reason or 'not measured in this run'}"


@dataclass(frozen=True)
class Picked:
    """The cases of an answer that one venue has, by their labels.

    ``measured`` have figures; ``others`` were tried and have none.
    """

    chapter: Chapter
    origin: Origin
    measured: Mapping[str, ChapterEntry]
    others: Mapping[str, ChapterEntry]

    @property
    def where(self) -> str:
        """Lab, clock and kernel, in a few words."""
        clock = "wall clock" if self.origin.clock == "wall" else "instructions"
        kernel = ".".join(self.origin.kernel.split(".")[:2])
        return ", ".join(
            filter(None, (self.origin.run, f"{self.origin.lab} {kernel}".strip(), clock))
        )

    def alike(self, *but: str) -> list[ChapterEntry]:
        """All that was measured in the venue with the same parameters, ``but`` for these."""
        params = next(iter(self.measured.values())).case.params
        return [
            entry
            for entry in self.chapter.ok
            if entry.origin == self.origin
            and all(
                entry.case.params.get(name) == value
                for name, value in params.items()
                if name not in but
            )
        ]

    def why_not(self, label: str) -> Why:
        """Why there are no figures of a label."""
        other = self.others.get(label)
        return Why(label, other.result.reason if other else "")


class Cases:
    """Points of an experiment's grid, by labels.

    Args:
        labelled: for each label the parameters that tell its point from the others'.
        params: what all of them have. Other parameters are free, but equal for all.
    """

    def __init__(self, labelled: Mapping[str, Params], **params: Value) -> None:
        self.labelled = dict(labelled)
        self.params = params
        self._telling = {name for chosen in labelled.values() for name in chosen}

    def pick(self, chapter: Chapter) -> list[Picked]:
        """What each venue has of them: of several settings the first that has most.

        A full run varies what is free one at a time, and begins with the usual.
        """
        best: dict[Origin, Picked] = {}
        for picked in self._settings(chapter):
            known = best.get(picked.origin)
            if known is None or len(picked.measured) > len(known.measured):
                best[picked.origin] = picked
        return list(best.values())

    def why_none(self, chapter: Chapter) -> Why:
        """Why no venue has any: of the first that was tried."""
        for label in self.labelled:
            for entry in chapter.measured:
                if entry.result.status != "ok" and self._is(entry, label):
                    return Why(label, entry.result.reason)
        return Why(next(iter(self.labelled)))

    def _settings(self, chapter: Chapter) -> Iterator[Picked]:
        found: dict[tuple[Origin, tuple[object, ...]], tuple[dict[str, ChapterEntry], ...]] = {}
        for entry in chapter.measured:
            for label in self.labelled:
                if self._is(entry, label):
                    measured, others = found.setdefault((entry.origin, self._free(entry)), ({}, {}))
                    (measured if entry.ok else others)[label] = entry
        for (origin, _), (measured, others) in found.items():
            if measured:
                yield Picked(chapter, origin, measured, others)

    def _is(self, entry: ChapterEntry, label: str) -> bool:
        wanted = {**self.params, **self.labelled[label]}
        return all(entry.case.params.get(name) == value for name, value in wanted.items())

    def _free(self, entry: ChapterEntry) -> tuple[object, ...]:
        return tuple(
            (name, value) for name, value in entry.case.params.items() if name not in self._telling
        )
