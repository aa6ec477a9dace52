"""The asv suite: one thin class an experiment. cnbench's own sampler does the measuring."""
