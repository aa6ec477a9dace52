"""One plan on many machines, which Dask's scheduler hands its groups to."""
