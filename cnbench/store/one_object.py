"""A run as one JSON object: run files up to schema 2, and what ``export --to json`` gives."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from cnbench.core.run import CaseResult, Run
from cnbench.store.checks import check_run
from cnbench.store.columns import columns_of


def decode(text: bytes) -> Run:
    """The run that ``text`` is.

    Raises:
        CnbenchError, ValueError, RecursionError: it is none.
    """
    run = msgspec.json.decode(text, type=Run)
    check_run(run)
    run.cases = [
        replace(
            result, samples=columns_of(tuple(result.samples)), twin=columns_of(tuple(result.twin))
        )
        for result in run.cases
    ]
    return run


def encode(run: Run) -> bytes:
    """``run`` as an indented object, with a newline at its end."""
    plain = replace(run, cases=[_with_tuples(result) for result in run.cases])
    return msgspec.json.format(msgspec.json.encode(plain), indent=1) + b"\n"


def _with_tuples(result: CaseResult) -> CaseResult:
    return replace(result, samples=tuple(result.samples), twin=tuple(result.twin))
