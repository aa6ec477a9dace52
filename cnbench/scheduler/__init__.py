"""A cluster in columns, and the Kubernetes scheduler's filters and scores over it."""
