"""Opening an experiment's subject, where this machine can have it."""

import pytest

from cnbench.core.errors import UnsupportedError


def subject_at(experiment, point, lab):
    """The subject at ``point``; the test is skipped where something for it is missing."""
    try:
        experiment.require(point, lab)
    except UnsupportedError as error:
        pytest.skip(f"{error}; {error.remedy}")
    return experiment.subject(point, lab)
