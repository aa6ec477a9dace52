"""New namespaces of every kind, processes that live in them, and being told that they are gone."""
