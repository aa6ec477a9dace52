"""Published figures on what a network namespace takes to be made and taken down.

Both are of kernels before 2018 and of commits that batched the take-down.
"""

from __future__ import annotations

from cnbench.analysis.published.figure import Figure
from cnbench.analysis.published.ours import sum_of, value_of

_MANY, _SECONDS = 4000, 44.0

PUBLISHED = (
    Figure(
        "namespaces",
        "a network namespace made and removed, once removal was batched",
        "one after the other, 2017; about 50 ms before",
        5e-3,
        5e-3,
        "s",
        "Linux, commit 8ca712c373a4",
        sum_of(("create", "destroy"), kind="net", live=0, parallel=1, contents="empty"),
        unlike=("a kernel of 2017",),
    ),
    Figure(
        "namespaces",
        "the removal of one network namespace among many",
        f"{_MANY:,} removed together in {_SECONDS:.0f} s; in more than 7 minutes before",
        _SECONDS / _MANY,
        _SECONDS / _MANY,
        "s",
        "Linux, commit 2b035b399707",
        value_of("destroy", kind="net", live=0, parallel=1, contents="empty"),
        unlike=("many at once there, one here",),
    ),
)
