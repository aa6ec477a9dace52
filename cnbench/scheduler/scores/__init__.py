"""One module a score: raw values for every node of a view, then normalised to 0 .. 100."""
