"""A Service model, and kube-proxy's iptables, nftables and IPVS programs for it."""
