"""Any mail server that speaks SMTP submission."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as STRICT
from email.utils import format_datetime
from typing import ClassVar

from aiohttp import ClientSession
from aiosmtplib import (
    SMTP,
    SMTPAuthenticationError,
    SMTPConnectError,
    SMTPException,
    SMTPHeloError,
    SMTPRecipientRefused,
    SMTPResponseException,
)

from parley.core.errors import Forged, Unreadable
from parley.core.message import Channel, Inbound, Outgoing, StatusEvent
from parley.core.outcome import Accepted, Rejected, SendFailed, Throttled, Unavailable, Unknown
from parley.core.webhook import Webhook
from parley.providers import mail
from parley.settings import Settings, SettingsError

# Bodies are encoded as ASCII, so that no server needs 8BITMIME.
_WIRE = STRICT.clone(cte_type="7bit")
# The server is going down (421), has no TLS just now (454), or dislikes our login: no message is at fault.
_NOT_THE_MESSAGE = (421, 454, 530, 534, 535, 538)
_BEFORE_THE_MESSAGE = (SMTPConnectError, SMTPHeloError, SMTPAuthenticationError)
_LONGEST_TEXT = 500


class Smtp:
    """Hands mail to one server, over a connection for each."""

    name: ClassVar[str] = "smtp"
    channels: ClassVar[frozenset[Channel]] = frozenset({"email"})
    can_look_up: ClassVar[bool] = False
    can_report: ClassVar[bool] = False
    requires: ClassVar[tuple[str, ...]] = ("smtp_host",)

    def __init__(self, settings: Settings, session: ClientSession) -> None:
        if bool(settings.smtp_username) != bool(settings.smtp_password):
            empty = "SMTP_PASSWORD" if settings.smtp_username else "SMTP_USERNAME"
            raise SettingsError(f"{empty} is empty, but takes a value as the other half of the login is set")
        self._settings = settings
        # Made once: reading the certificates of all authorities takes longer than a mail.
        self._tls = None if settings.smtp_security == "none" else ssl.create_default_context()

    async def send(self, message: Outgoing) -> Accepted:
        """Send one mail under a Message-ID made of our id, by which a receiving server may know it again."""
        letter = mail.letter(message)
        name = f"{message.id}@{letter.sender.address.rpartition('@')[2]}"
        boxes = (letter.sender, letter.to, *letter.cc, *letter.bcc)
        foreign = not all(box.address.isascii() for box in boxes)
        content = _post(letter, name).as_bytes(policy=_WIRE.clone(utf8=foreign))
        client = self._client()
        end = asyncio.get_running_loop().time() + self._settings.provider_timeout_secs
        try:
            # Silence before the content leaves is harmless; after it, the server may have the mail.
            async with _until(end, Unavailable):
                await _address(client, letter, foreign)
            async with _until(end, Unknown):
                await client.data(content)
            with suppress(SMTPException, OSError):
                # The mail is taken; no slow goodbye may make that doubtful.
                async with asyncio.timeout_at(end):
                    await client.quit(timeout=1)
        finally:
            client.close()
        return Accepted(name)

    def _client(self) -> SMTP:
        settings = self._settings
        return SMTP(
            hostname=settings.smtp_host,
            port=settings.smtp_port,
            username=settings.smtp_username or None,
            password=settings.smtp_password or None,
            use_tls=settings.smtp_security == "tls",
            start_tls=settings.smtp_security == "starttls",
            tls_context=self._tls,
            timeout=settings.provider_timeout_secs,
        )

    async def find(self, message: Outgoing, since: datetime, known: Collection[str] = ()) -> Accepted | None:
        """There is nothing to ask."""
        raise Unknown("a mail server cannot be asked for a message")

    async def status(self, provider_message_id: str) -> StatusEvent | None:
        """A mail server tells nothing afterwards."""
        return None

    def verify(self, webhook: Webhook, now: datetime) -> None:
        """Mail servers call nobody."""
        raise Forged("SMTP has no webhooks")

    def parse(self, webhook: Webhook) -> Sequence[Inbound | StatusEvent]:
        """Mail servers call nobody."""
        raise Unreadable("SMTP has no webhooks")


async def _address(client: SMTP, letter: mail.Letter, foreign: bool) -> None:
    await client.connect()
    if foreign:
        await client.ehlo()
        if not client.supports_extension("smtputf8"):
            raise Rejected("the mail server takes ASCII addresses only", code="smtputf8")
    encoding, options = ("utf-8", ["SMTPUTF8"]) if foreign else ("ascii", [])
    await client.mail(letter.sender.address, options=options, encoding=encoding)
    await client.rcpt(letter.to.address, encoding=encoding)
    for box in (*letter.cc, *letter.bcc):
        # The mail is for its recipient; a copy that nobody takes does not keep it from going.
        with suppress(SMTPRecipientRefused):
            await client.rcpt(box.address, encoding=encoding)


@asynccontextmanager
async def _until(end: float, silence: type[SendFailed]) -> AsyncIterator[None]:
    """Bound a step; what a server says means the same in every step, and silence does not."""
    try:
        async with asyncio.timeout_at(end):
            yield
    except SMTPResponseException as error:
        raise _refusal(error) from None
    except (SMTPException, OSError, TimeoutError) as error:
        raise silence(f"no answer ({type(error).__name__})") from None


def _refusal(error: SMTPResponseException) -> SendFailed:
    text = " ".join(error.message.split())[:_LONGEST_TEXT] or "refused without a word"
    if error.code in _NOT_THE_MESSAGE or isinstance(error, _BEFORE_THE_MESSAGE):
        kind: type[SendFailed] = Unavailable
    else:
        # 4yz asks to come again, as greylisting does; anything but 4yz and 5yz is no refusal at all.
        kind = {4: Throttled, 5: Rejected}.get(error.code // 100, Unknown)
    return kind(text, code=str(error.code))


def _post(letter: mail.Letter, message_id: str) -> EmailMessage:
    post = EmailMessage(policy=_WIRE)
    post["Message-ID"] = f"<{message_id}>"
    post["Date"] = format_datetime(datetime.now(UTC))
    post["From"] = _person(letter.sender)
    post["To"] = _person(letter.to)
    if letter.cc:
        post["Cc"] = tuple(map(_person, letter.cc))
    if letter.reply_to is not None:
        post["Reply-To"] = _person(letter.reply_to)
    post["Subject"] = letter.subject
    post.set_content(letter.text)
    if letter.html is not None:
        post.add_alternative(letter.html, subtype="html")
    return post


def _person(box: mail.Mailbox) -> Address:
    local, _, domain = box.address.rpartition("@")
    return Address(box.name, username=local, domain=domain)
