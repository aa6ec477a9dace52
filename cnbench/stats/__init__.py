"""Pure functions on arrays: intervals, paired ratios, verdicts, fits."""
