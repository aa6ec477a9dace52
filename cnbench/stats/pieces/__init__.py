"""Where a cost leaves its line: piecewise fits, and where to look next."""
