"""Parley: one HTTP API for SMS, MMS and email conversations, on PostgreSQL."""

__version__ = "0.1.0"
