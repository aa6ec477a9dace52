"""The load: connection set-up, busy threads, request and response."""
