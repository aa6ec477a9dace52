"""The outcome of a comparison as one JSON object, in base units."""

from __future__ import annotations

import json
from dataclasses import asdict

from cnbench.analysis.compared import questions
from cnbench.analysis.outcome import Outcome


def shown(outcome: Outcome) -> str:
    """See ``outcomes.Format``."""
    return json.dumps(
        {
            "runs": [run.id for run in outcome.runs],
            "verdict": outcome.verdict.value,
            "questions": questions(outcome.compared),
            "rows": [comparison.as_json() for comparison in outcome.compared],
            "claims": [change.as_json() for change in outcome.claims],
            "differences": [asdict(difference) for difference in outcome.differences],
        },
        indent=1,
    )
