"""What a guest boots from: packages, kernels and code, built once and kept in a cache."""
