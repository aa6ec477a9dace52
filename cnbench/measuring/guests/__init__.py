"""Measuring in guests: what drives them from the host, and what runs inside."""
