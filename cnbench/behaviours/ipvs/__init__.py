"""IPVS: how a virtual server spreads, remembers and drains."""
