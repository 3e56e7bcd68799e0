"""The webhooks: our own plain ones, which answer like the rest of the API, and the vendors', which they expect."""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from parley.api.operation import read_body
from parley.api.schemas import Accepted
from parley.core.errors import Invalid, NotFound, Unreadable
from parley.core.webhook import Webhook
from parley.providers import generic
from parley.providers.base import Provider
from parley.webhooks.intake import Intake

# What makes Twilio neither reply to the sender nor log a warning.
_NO_REPLY = Response('<?xml version="1.0" encoding="UTF-8"?><Response/>', media_type="text/xml")
_NOTHING = Response()


class Webhooks:
    """POST /api/webhooks/…"""

    def __init__(
        self,
        intake: Intake,
        vendors: Mapping[str, Provider],
        public_url: str,
        max_body_bytes: int,
        vendor_max_body_bytes: int,
    ) -> None:
        self._intake = intake
        self._vendors = vendors
        self._public_url = public_url
        self._max_body_bytes = max_body_bytes
        self._vendor_max_body_bytes = vendor_max_body_bytes

    async def sms(self, request: Request) -> Accepted:
        """Take in an SMS or MMS."""
        return await self._generic(request, generic.SMS)

    async def email(self, request: Request) -> Accepted:
        """Take in an email."""
        return await self._generic(request, generic.EMAIL)

    async def twilio(self, request: Request) -> Response:
        """Take in a message or a status from Twilio."""
        await self._vendor(request, "twilio")
        return _NO_REPLY

    async def sendgrid(self, request: Request) -> Response:
        """Take in events, or a parsed email, from SendGrid."""
        await self._vendor(request, "sendgrid")
        return _NOTHING

    async def telnyx(self, request: Request) -> Response:
        """Take in a message or a status from Telnyx."""
        await self._vendor(request, "telnyx")
        return _NOTHING

    async def _generic(self, request: Request, source: str) -> Accepted:
        webhook = self._webhook(request, await read_body(request, self._max_body_bytes))
        try:
            inbound, stored = await self._intake.generic(source, webhook)
        except Unreadable as error:
            raise Invalid(error.message, error.details) from None
        return Accepted(
            message_id=stored.message_id,
            conversation_id=str(stored.conversation_id),
            provider_message_id=inbound.provider_message_id,
            duplicate=stored.duplicate,
        )

    async def _vendor(self, request: Request, name: str) -> None:
        provider = self._vendors.get(name)
        if provider is None:
            raise NotFound(f"{name} is not configured here")
        raw = await read_body(request, self._vendor_max_body_bytes)
        await self._intake.vendor(provider, self._webhook(request, raw))

    def _webhook(self, request: Request, raw: bytes) -> Webhook:
        """The request under the address by which the outside knows us, which is what vendors sign."""
        scope = request.scope
        query = f"?{scope['query_string'].decode('latin-1')}" if scope["query_string"] else ""
        return Webhook(
            method=request.method,
            url=self._public_url + scope["raw_path"].decode("latin-1") + query,
            headers={name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]},
            body=raw,
        )
