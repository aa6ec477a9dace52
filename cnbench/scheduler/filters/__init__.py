"""One module a filter: each answers, for every node of a view, whether the pod may go there."""
