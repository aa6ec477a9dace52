"""The vocabulary as plain dataclasses; imports nothing of ours."""
