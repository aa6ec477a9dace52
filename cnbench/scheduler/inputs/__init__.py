"""Where clusters come from (objects, a trace, a seed), and a kube-scheduler's own figures."""
