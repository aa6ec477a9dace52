"""Packet filters: nftables and iptables, as a proxy or a CNI writes rules."""
