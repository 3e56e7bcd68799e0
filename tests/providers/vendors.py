"""Stages that play a vendor for one test: they answer what they are told and remember what they were asked."""

import asyncio
import ssl
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import ClientSession, web
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from parley.core.message import Outgoing
from parley.providers.base import Provider
from parley.providers.registry import VENDORS
from parley.settings import Settings

MESSAGE_ID = "0192f0c1-2d3e-7f4a-8b5c-6d7e8f901234"
ACCOUNT = "AC" + "0" * 32
SECRETS = {
    "twilio_auth_token": "token-that-nobody-may-see",
    "sendgrid_api_key": "SG.key-that-nobody-may-see",
    "sendgrid_inbound_token": "inbound-that-nobody-may-see",
    "telnyx_api_key": "KEY-that-nobody-may-see",
    "smtp_password": "password-that-nobody-may-see",
}
HTTP_VENDORS = ("twilio", "sendgrid", "telnyx")
NAMES = (*HTTP_VENDORS, "smtp")

sendgrid_key = ec.generate_private_key(ec.SECP256R1())
telnyx_key = Ed25519PrivateKey.generate()
SENDGRID_PUBLIC = b64encode(
    sendgrid_key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
).decode()
TELNYX_PUBLIC = b64encode(telnyx_key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()


def settings(address: str = "http://127.0.0.1:9", **changes: Any) -> Settings:
    """Settings that know every vendor, all of them at one address."""
    host, _, port = address.rpartition("/")[2].partition(":")
    known: dict[str, Any] = {
        "public_url": "https://parley.example",
        "twilio_account_sid": ACCOUNT,
        "sendgrid_webhook_public_key": SENDGRID_PUBLIC,
        "telnyx_public_key": TELNYX_PUBLIC,
        "smtp_host": host,
        "smtp_port": int(port or 25),
        "smtp_security": "none",
        "provider_timeout_secs": 5.0,
        **{f"{vendor}_base_url": address for vendor in HTTP_VENDORS},
        **{name: value for name, value in SECRETS.items() if name != "smtp_password"},
    }
    return Settings(**(known | changes))


def provider(
    name: str, session: ClientSession, address: str = "http://127.0.0.1:9", **changes: Any
) -> Provider:
    """One provider, talking to an address."""
    vendor = next(vendor for vendor in VENDORS if vendor.name == name)
    return vendor(settings(address, **changes), session)


def message(name: str, **changes: Any) -> Outgoing:
    """A message that a provider carries."""
    email = name in ("sendgrid", "smtp")
    plain = {
        "id": MESSAGE_ID,
        "account_id": 1,
        "channel": "email" if email else "sms",
        "sender": "desk@parley.example" if email else "+12025550100",
        "recipient": "ann@example.com" if email else "+12025550123",
        "body": "Your order is ready.",
    }
    return msgspec.convert(plain | changes, Outgoing)


class Asked(msgspec.Struct):
    """A request as the stage got it."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Stage:
    """A vendor with an HTTP API; `play` decides what becomes of a request."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.play: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]] = answering(500)
        self.address = ""
        self.heard = asyncio.Event()

    async def receive(self, request: web.BaseRequest) -> web.StreamResponse:
        """Note the request, then play."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.asked.append(Asked(request.method, request.path_qs, headers, await request.read()))
        self.heard.set()
        return await self.play(request)


def answering(
    status: int, body: Any = b"", headers: dict[str, str] | None = None
) -> Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]:
    """Answer every request alike; anything but bytes goes out as JSON."""
    data = body if isinstance(body, bytes) else msgspec.json.encode(body)

    async def play(_request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=status, body=data, headers=headers)

    return play


async def silent(_request: web.BaseRequest) -> web.StreamResponse:
    """Take the request and never answer."""
    await asyncio.Event().wait()
    raise AssertionError


async def hanging_up(request: web.BaseRequest) -> web.StreamResponse:
    """Take the request and close the connection."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


@asynccontextmanager
async def http_stage() -> AsyncIterator[Stage]:
    """Open a stage on a free port."""
    stage = Stage()
    runner = web.ServerRunner(web.Server(stage.receive, handler_cancellation=True), shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        host, port = runner.addresses[0][:2]
        stage.address = f"http://{host}:{port}"
        yield stage
    finally:
        await runner.cleanup()


def _cut(server: SMTP) -> None:
    if isinstance(server.transport, asyncio.WriteTransport):
        server.transport.abort()


class MailStage:
    """A mail server; `replies` holds what it says to a command in place of yes."""

    def __init__(self) -> None:
        self.replies: dict[str, str] = {}
        self.content: list[bytes] = []
        self.envelopes: list[tuple[str | None, list[str]]] = []
        self.logins: list[tuple[str, str]] = []
        self.address = ""

    def login(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _way: str, data: LoginPassword
    ) -> AuthResult:
        """Let in whoever knows the password."""
        self.logins.append((data.login.decode(), data.password.decode()))
        return AuthResult(success=self.logins[-1][1] == SECRETS["smtp_password"], handled=False)

    async def handle_MAIL(  # noqa: N802 - the names are those of aiosmtpd
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Hear who writes."""
        envelope.mail_from = address
        return self.replies.get("MAIL", "250 OK")

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Hear who reads; a reply may be meant for one address only."""
        reply = self.replies.get(f"RCPT {address}") or self.replies.get("RCPT", "250 OK")
        if reply.startswith("250"):
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Take the mail, keep silent, or hang up."""
        reply = self.replies.get("DATA", "250 OK")
        if reply == "silence":
            await asyncio.Event().wait()
        if reply == "hang up":
            _cut(server)
        if reply.startswith("250"):
            self.content.append(envelope.original_content or b"")
            self.envelopes.append((envelope.mail_from, list(envelope.rcpt_tos)))
        return reply


def certified(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """A certificate of 127.0.0.1 that vouches for itself, ready to serve, and the file that it is in."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    start = datetime.now(UTC) - timedelta(days=1)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, start, start + timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=True)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, SHA256())
    )
    public, private = folder / "certificate.pem", folder / "key.pem"
    public.write_bytes(certificate.public_bytes(Encoding.PEM))
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(public, private)
    return context, public


@asynccontextmanager
async def mail_stage(utf8: bool = True, tls: ssl.SSLContext | None = None) -> AsyncIterator[MailStage]:
    """Open a mail server on a free port."""
    stage = MailStage()
    tasks: list[SMTP] = []

    def make() -> SMTP:
        tasks.append(SMTP(stage, enable_SMTPUTF8=utf8, tls_context=tls, authenticator=stage.login))
        return tasks[-1]

    server = await asyncio.get_running_loop().create_server(make, "127.0.0.1", 0)
    try:
        host, port = server.sockets[0].getsockname()[:2]
        stage.address = f"smtp://{host}:{port}"
        yield stage
    finally:
        server.close()
        for smtp in tasks:
            if smtp._handler_coroutine is not None:
                smtp._handler_coroutine.cancel()
            _cut(smtp)
        await server.wait_closed()
