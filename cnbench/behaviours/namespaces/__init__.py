"""Namespaces: how they are told apart, and what is each one's own."""
