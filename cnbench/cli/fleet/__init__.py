"""Commands about many nodes together."""
