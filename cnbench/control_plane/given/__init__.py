"""A cluster of the user's own: reached by a kubeconfig that is named, within bounds, and tidied."""
