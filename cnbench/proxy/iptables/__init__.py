"""kube-proxy's iptables mode: its rules as iptables-restore reads them, loaded and counted."""
