"""What can go wrong with a request, said in the domain's words; `api/problems.py` gives each its HTTP status."""

from collections.abc import Iterable

import msgspec


class Detail(msgspec.Struct, frozen=True):
    """One field and what is wrong with it."""

    field: str
    message: str


class ParleyError(Exception):
    """The root of all that we refuse on purpose."""

    code = "error"

    def __init__(self, message: str, details: tuple[Detail, ...] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.details = details


class Invalid(ParleyError):
    """The caller's data breaks a rule; the details name the fields."""

    code = "invalid_request"

    @classmethod
    def field(cls, name: str, message: str) -> "Invalid":
        return cls.fields([Detail(name, message)])

    @classmethod
    def fields(cls, wrong: Iterable[Detail]) -> "Invalid":
        """Say everything that is wrong at once."""
        details = tuple(wrong)
        return cls("; ".join(f"{detail.field}: {detail.message}" for detail in details), details)


class NotFound(ParleyError):
    """There is no such thing."""

    code = "not_found"


class Conflict(ParleyError):
    """The request contradicts what is stored."""

    code = "conflict"


class Forged(ParleyError):
    """A webhook whose signature does not hold."""

    code = "forged"


class Unreadable(ParleyError):
    """A webhook that is authentic but not understood."""

    code = "unreadable"


class DatabaseAway(ParleyError):
    """PostgreSQL cannot be reached or is going down; nothing was promised."""

    code = "database_unavailable"


class Overloaded(ParleyError):
    """More is waiting than can be stored in reasonable time."""

    code = "overloaded"
