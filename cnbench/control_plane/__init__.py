"""A Kubernetes control plane of real servers: built, started on loopback, and talked to."""
