"""Node and pod topologies, and the backends that join them."""
