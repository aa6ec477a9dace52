"""Commands that show, compare and report what was measured."""
