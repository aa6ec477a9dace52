"""All that knows asv: results as asv stores them, histories of kernels, and plug-ins for it."""
