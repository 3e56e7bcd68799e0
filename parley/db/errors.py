"""What the embedded PostgreSQL can end with."""


class EmbeddedError(Exception):
    """The embedded PostgreSQL cannot start; the text is the one line the operator sees."""
