"""kube-proxy's IPVS mode: virtual servers over netlink, and the few rules beside them."""
