"""kube-proxy's nftables mode: its table as nft reads it, loaded and counted."""
