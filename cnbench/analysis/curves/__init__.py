"""How each experiment's costs grow: the lines and fits that figures and published figures rest on."""
