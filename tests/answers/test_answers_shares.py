from dataclasses import replace

import made_up

from cnbench.analysis.rows import rows_of
from cnbench.core.metric import Metric

THROTTLED = Metric("throttled", "1", "lower", "additive", "a part", share=True)
# Each half in a set-up of its own: two set-ups have Student's t, which reaches far.
VALUES = [0.18, 0.19, 0.20, 0.02, 0.03, 0.04]


def in_two_set_ups(metric):
    result = made_up.result(VALUES, metric="throttled")
    samples = tuple(replace(one, setup=one.block // 3) for one in result.samples)
    (row,) = rows_of(made_up.run(replace(result, samples=samples), metrics=(metric,)))
    return row.interval


def test_the_interval_of_a_share_ends_where_shares_do():
    assert in_two_set_ups(replace(THROTTLED, share=False)).low < 0
    interval = in_two_set_ups(THROTTLED)
    assert interval.low == 0.0
    assert 0.02 < interval.estimate < 0.2 < interval.high <= 1.0
