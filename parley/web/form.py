"""A form that a page of ours sent, and only that: other sites may not send any in a visitor's name."""

from urllib.parse import parse_qsl, urlsplit

import msgspec
from starlette.requests import Request

from parley.api.operation import read_body
from parley.api.problems import HttpProblem
from parley.core.errors import Invalid

_MOST_FIELDS = 100


class Form(msgspec.Struct, frozen=True):
    """The fields in their order; a name may come more than once."""

    fields: list[tuple[str, str]]

    def get(self, name: str) -> str:
        """The first value of a field; empty if it is absent."""
        return next((value for field, value in self.fields if field == name), "")

    def words(self, name: str) -> list[str]:
        """All that stands in the fields of a name, cut at white space."""
        return [word for field, value in self.fields if field == name for word in value.split()]

    def mailboxes(self, name: str) -> list[str]:
        """A field's mailboxes, cut at commas."""
        return [part.strip() for part in self.get(name).split(",") if part.strip()]


async def read(request: Request, limit: int) -> Form:
    """Read a form; raises for one that another site sent."""
    if not _is_ours(request):
        raise HttpProblem(403, "this form was sent by another site")
    raw = await read_body(request, limit)
    try:
        fields = parse_qsl(raw.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise Invalid.field("body", "is not a form that can be read") from None
    # Browsers send line ends as the network does.
    return Form([(name, value.replace("\r\n", "\n")) for name, value in fields])


def _is_ours(request: Request) -> bool:
    """Believe the browser's own word first; a program that says neither is not a browser."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host", "")
