"""Commands that read a cluster's own objects and figures."""
