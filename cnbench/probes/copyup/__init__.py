"""Copying a file up into an overlay's upper layer, and what shows how it was done."""
