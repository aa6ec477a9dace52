"""node-network: traffic between two members of a fleet, over the network that they have."""
