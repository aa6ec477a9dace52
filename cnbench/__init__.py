"""cnbench: what the building blocks of a container platform really cost, with proof."""

__version__ = "0.1.0"
