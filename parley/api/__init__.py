"""The HTTP API: `routes.py` is its table of contents."""
