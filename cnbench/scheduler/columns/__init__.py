"""A cluster in columns: what nodes have, how they are labelled, and which pods they run."""
