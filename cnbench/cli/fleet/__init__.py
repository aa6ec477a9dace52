"""Commands that concern many nodes at once."""
