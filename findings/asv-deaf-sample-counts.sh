#!/usr/bin/env bash
# asv 0.6.6 cannot call six samples and six samples different, whatever is in them.
#
# Expected from memory: two sets of six samples that do not overlap at all are "significantly changed".
# Seen: asv takes its Mann-Whitney test where the smallest p that it can give is below 0.002, and compares
# intervals where it is not. It reckons that smallest p as 1/924 for six and six, but its test is two-sided:
# 2/924 = 0.00216 is the least that it ever gives. So the test is taken, and can never be significant:
# `asv continuous` says "not significantly changed" of samples a thousand times apart. With five and five
# intervals are compared; with seven and seven 2/3432 is small enough. 5 and 7, and 4 and 9, are deaf too.
# Whoever hands asv samples of its own (track_ with {"samples": ..., "number": ...}) has to avoid these.
#
# Runs asv alone, without cnbench, and fails when any of this changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -qq --disable-pip-version-check asv==0.6.6 asv_runner==0.3.2
"$folder/venv/bin/python" - <<'PYTHON'
from asv import _stats
from asv_runner.statistics import compute_stats


def hears(first, second):
    """Whether asv calls samples that do not overlap, a thousand apart, different."""
    a = [1000.0 + n for n in range(first)]
    b = [1.0 + n / 1000 for n in range(second)]
    stats = [compute_stats(samples, 1)[1] for samples in (a, b)]
    return bool(_stats.is_different(a, b, *stats))


seen = {pair: hears(*pair) for pair in [(5, 5), (6, 6), (7, 7), (5, 7), (4, 9), (7, 8)]}
for (first, second), heard in seen.items():
    print(f"asv 0.6.6, {first} samples against {second}: {'different' if heard else 'not significantly changed'}")
expected = {(5, 5): True, (6, 6): False, (7, 7): True, (5, 7): False, (4, 9): False, (7, 8): True}
assert seen == expected, f"expected {expected}"
PYTHON
