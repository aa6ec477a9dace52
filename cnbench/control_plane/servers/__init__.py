"""The life of a control plane's servers, in an enclave of the run's own."""
