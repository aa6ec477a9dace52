"""How each experiment's costs grow: lines and fits, for figures and for published figures alike."""
