"""How packages find what is in them, and when they import it."""
