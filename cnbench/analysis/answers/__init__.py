"""Answers, and the claims that they test: one module an experiment, found by its ``ANSWERS``."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import cache

from cnbench.analysis.answers.answer import Answer, Finding, Part, Verdict, find, unmeasured
from cnbench.analysis.answers.cases import Picked, Why
from cnbench.analysis.chapters import Chapter
from cnbench.core.imports.parts import parts_of

# How many answers a reader sees at once.
SCREENFUL = 16

__all__ = ["Answer", "Finding", "Part", "Verdict", "all_answers", "answers_of", "claims_of"]


@cache
def all_answers() -> tuple[Answer, ...]:
    """Every answer, those of one experiment together."""
    found: list[tuple[Answer, ...]] = list(parts_of(__name__, "ANSWERS"))
    return tuple(answer for answers in found for answer in answers)


def findings_of(chapters: Sequence[Chapter]) -> list[Finding]:
    """What the chapters say to every answer: a finding a venue that can test it, or one in all."""
    by_name = {chapter.name: chapter for chapter in chapters}
    return [each for answer in all_answers() for each in _tested(_findings(answer, by_name))]


def claims_of(chapters: Sequence[Chapter]) -> list[tuple[str, list[Finding]]]:
    """Every statement with its findings."""
    found = itertools.groupby(findings_of(chapters), key=lambda finding: finding.answer.statement)
    return [(statement, list(findings)) for statement, findings in found]


def answers_of(chapters: Sequence[Chapter]) -> list[Finding]:
    """The answers to begin with, each from the venue that has most of what was asked.

    A screenful: every experiment's first, then the second ones, while there is room; those of one
    experiment together, in the order of the chapters. Where two venues have as much, it is the
    first, which is the host: what it says is in seconds.
    """
    by_name = {chapter.name: chapter for chapter in chapters}
    order = list(by_name)
    ranked = (answer for answer in all_answers() if answer.rank and answer.experiment in by_name)
    found = (_findings(answer, by_name) for answer in ranked)
    best = [max(each, key=lambda finding: finding.complete) for each in found]

    def place(finding: Finding) -> tuple[int, int]:
        return order.index(finding.answer.experiment), finding.answer.rank

    told = sorted((finding for finding in best if finding.parts), key=place)
    return sorted(sorted(told, key=lambda finding: finding.answer.rank)[:SCREENFUL], key=place)


def _tested(findings: list[Finding]) -> list[Finding]:
    """Those with a verdict; without any, the one that knows most."""
    tested = [finding for finding in findings if finding.verdict is not Verdict.NOT_TESTABLE]
    return tested or [max(findings, key=lambda finding: finding.complete)]


def _findings(answer: Answer, chapters: dict[str, Chapter]) -> list[Finding]:
    chapter = chapters.get(answer.experiment)
    if chapter is None:
        return [unmeasured(answer, Why(answer.experiment))]
    picked: list[Picked] = answer.cases.pick(chapter)
    if not picked:
        return [unmeasured(answer, answer.cases.why_none(chapter))]
    return [find(answer, each) for each in picked]
