"""Turns values into HTML: the templates, their filters, and the headers that every page carries."""

import gzip
from datetime import UTC, datetime, tzinfo
from typing import Any

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from parley.core.snippet import is_html
from parley.core.words import highlight
from parley.web import mail, text, times
from parley.web.reference import slug
from parley.web.static import Static

# Pictures of MMS stand on their providers' servers; nothing else comes from elsewhere.
_POLICY = (
    "default-src 'self'; img-src 'self' data: http: https:; object-src 'none'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
# With no-referrer a browser would hide the origin of our own forms from us.
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Vary": "Accept-Encoding, Cookie",
}
_WORTH_PACKING = 1024
_CHANNELS = {"sms": "SMS", "mms": "MMS", "email": "Email"}
_VENDORS = {"sendgrid": "SendGrid", "smtp": "SMTP"}


class Reader(msgspec.Struct, frozen=True):
    """Who reads a page: what time it is for him, and where."""

    now: datetime
    where: tzinfo

    @classmethod
    def of(cls, request: Request) -> "Reader":
        """The reader who sent a request; a page tells us his time zone in a cookie."""
        return cls(datetime.now(UTC), times.zone(request.cookies.get("zone", "")[:64].replace("%2F", "/")))

    @property
    def zone(self) -> str:
        """The name of the time zone in which he is told times."""
        return str(getattr(self.where, "key", "UTC"))

    def brief(self, at: datetime) -> str:
        return times.brief(at, self.now, self.where)

    def clock(self, at: datetime) -> str:
        return times.clock(at, self.where)

    def full(self, at: datetime) -> str:
        return times.full(at, self.where)

    def ago(self, at: datetime) -> str:
        return times.span(max(0.0, (self.now - at).total_seconds()))


class Renderer:
    """The templates with all they may call."""

    def __init__(self, static: Static) -> None:
        self._templates = Environment(
            loader=PackageLoader("parley.web"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._templates.globals |= {"static": static.url, "scripts": static.names(".js"), "span": times.span}
        self._templates.filters |= {
            "linkify": text.linkify,
            "highlight": highlight,
            "passages": text.passages,
            "coded": text.coded,
            "spoken": text.spoken,
            "slug": slug,
            "iso": lambda at: at.isoformat(),
            "channel": lambda name: _CHANNELS.get(name, name),
            "vendor": lambda name: _VENDORS.get(name, name.capitalize()),
            "number": lambda value: f"{value:,}".replace(",", "\N{NARROW NO-BREAK SPACE}"),
        }

    def html(self, template: str, **context: Any) -> str:
        """Fill in a template."""
        return self._templates.get_template(template).render(context)

    def page(
        self,
        request: Request,
        template: str,
        *,
        status: int = 200,
        headers: dict[str, str] | None = None,
        **context: Any,
    ) -> Response:
        """Answer with a template, packed for who can unpack it."""
        context.setdefault("reader", Reader.of(request))
        content = self.html(template, **context).encode("utf-8", "replace")
        sent = _HEADERS | (headers or {})
        if len(content) > _WORTH_PACKING and "gzip" in request.headers.get("accept-encoding", ""):
            content = gzip.compress(content, 4)
            sent["Content-Encoding"] = "gzip"
        return Response(content, status, sent, media_type="text/html")

    def mail(self, request: Request, body: str, *, pictures: bool) -> Response:
        """Answer with a mail's text for its frame: cleaned, and under a policy that lets nothing run."""
        cleaned = mail.clean(body, pictures=pictures) if is_html(body) else f"<pre>{text.linkify(body)}</pre>"
        headers = {
            "Content-Security-Policy": mail.policy(pictures=pictures),
            "X-Frame-Options": "SAMEORIGIN",
            "Referrer-Policy": "no-referrer",
        }
        html = Markup(cleaned)  # noqa: S704 - this is what cleaning is for
        return self.page(request, "mail.html", headers=headers, html=html, coloured=mail.is_coloured(cleaned))
