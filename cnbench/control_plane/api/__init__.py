"""Talking to an API server over HTTP/1.1 and TLS, with the standard library alone."""
