"""Samples, and what makes them trustworthy: blocks, clocks, witness, fingerprint."""
