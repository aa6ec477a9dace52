"""What is known of kernels by their release alone."""
