"""node-network: traffic between two members of a fleet, over the network that they have."""

# What it is called among experiments, which are all of one machine's. Here, since commands that go
# on with runs ask for it, and need nothing else of this.
NAME = "node-network"
