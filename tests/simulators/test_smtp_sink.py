"""The SMTP sink is a mail server to any client, and its faults are SMTP's."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.message import EmailMessage

import aiosmtplib
import pytest

from parley.simulators import credentials
from parley.simulators.config import Simulation
from tests.simulators.stage import Stage, running

OUR_ID = "0190a1b2-0000-7000-8000-000000000001"


def mail(body: str = "Hello\n.dot\n..dots\n") -> EmailMessage:
    """A mail with our id in its Message-ID."""
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = "shop@example.com", "ann@example.com", "Grüße"
    made["Message-ID"] = f"<{OUR_ID}@example.com>"
    made.set_content(body)
    return made


async def send(
    sim: Stage, made: EmailMessage, username: str | None = None, password: str | None = None
) -> str:
    """Send with a client library."""
    _, answer = await aiosmtplib.send(
        made,
        hostname="127.0.0.1",
        port=sim.smtp_port,
        start_tls=False,
        timeout=5,
        username=username,
        password=password,
    )
    return answer


@asynccontextmanager
async def talking(sim: Stage) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A bare connection that was greeted."""
    reader, writer = await asyncio.open_connection("127.0.0.1", sim.smtp_port)
    try:
        async with asyncio.timeout(5):
            await reader.readline()
            yield reader, writer
    finally:
        writer.close()
        await asyncio.gather(writer.wait_closed(), return_exceptions=True)


async def test_a_mail_is_in_the_ledger_with_our_id_and_its_dots(sim: Stage) -> None:
    """Dot-stuffing is undone; the id is the UUID of the Message-ID."""
    answer = await send(sim, mail())
    entry = (await sim.get("ledger?vendor=smtp"))["entries"][0]
    assert (entry["message_id"], entry["from"], entry["to"]) == (
        OUR_ID,
        "shop@example.com",
        "ann@example.com",
    )
    assert entry["body"].replace("\r\n", "\n") == "Hello\n.dot\n..dots\n"
    assert entry["vendor_id"] in answer


async def test_right_credentials_are_welcome_and_wrong_ones_refused(sim: Stage) -> None:
    """None at all are fine as well."""
    await send(sim, mail(), username=credentials.SMTP_USERNAME, password=credentials.SMTP_PASSWORD)
    with pytest.raises(aiosmtplib.SMTPAuthenticationError):
        await send(sim, mail(), username=credentials.SMTP_USERNAME, password="wrong")


@pytest.mark.parametrize(("word", "code"), [("error", 451), ("ratelimit", 450), ("refuse", 421)])
async def test_faults_are_temporary_refusals(sim: Stage, word: str, code: int) -> None:
    """A mail that was refused is in no ledger."""
    await sim.faults(smtp={"scenario": [word]})
    with pytest.raises(aiosmtplib.SMTPResponseException) as raised:
        await send(sim, mail())
    assert raised.value.code == code
    assert (await sim.get("ledger/summary"))["accepted"] == 0


async def test_silence_after_the_dot_accepts(sim: Stage) -> None:
    """The client cannot know, the ledger does."""
    await sim.faults(smtp={"timeout_pct": 100})
    with pytest.raises(aiosmtplib.SMTPTimeoutError):
        await aiosmtplib.send(mail(), hostname="127.0.0.1", port=sim.smtp_port, start_tls=False, timeout=0.3)
    assert [entry["answered"] for entry in (await sim.get("ledger"))["entries"]] == [False]


async def test_a_recipient_called_bounce_is_refused(sim: Stage) -> None:
    """For good, and by name."""
    made = mail()
    made.replace_header("To", "bounce@example.com")
    with pytest.raises(aiosmtplib.SMTPRecipientsRefused):
        await send(sim, made)


async def test_too_large_a_mail_is_552() -> None:
    """Announced or not."""
    async with running(Simulation(smtp_max_bytes=1000)) as sim:
        with pytest.raises(aiosmtplib.SMTPResponseException) as raised:
            await send(sim, mail("x" * 2000))
        assert raised.value.code == 552
        async with talking(sim) as (reader, writer):
            writer.write(
                b"MAIL FROM:<a@b.c>\r\nRCPT TO:<d@e.f>\r\nDATA\r\n" + b"x" * 200_000 + b"\r\n.\r\nNOOP\r\n"
            )
            answers = [(await reader.readline())[:3] for _ in range(5)]
        assert answers == [b"250", b"250", b"354", b"552", b"250"]


async def test_nonsense_is_answered_and_the_session_goes_on(sim: Stage) -> None:
    """No line breaks the server."""
    lines = [
        b"\xff\x00", b"MAIL", b"RCPT TO:<a@b.c>", b"DATA", b"AUTH PLAIN !!!", b"AUTH MAGIC",
        b"x" * 70_000, b"RCPT", b"RSET", b"QUIT",
    ]  # fmt: skip
    async with talking(sim) as (reader, writer):
        writer.write(b"\r\n".join([*lines, b""]))
        answers = (await reader.read()).splitlines()
    assert [answer[:3] for answer in answers if not answer.startswith(b"500")] == [
        b"502", b"501", b"503", b"503", b"535", b"504", b"502", b"503", b"250", b"221",
    ]  # fmt: skip


async def test_a_dead_server_says_so_at_once(sim: Stage) -> None:
    """421 in place of a greeting."""
    await sim.faults(smtp={"down": True})
    reader, writer = await asyncio.open_connection("127.0.0.1", sim.smtp_port)
    async with asyncio.timeout(5):
        assert (await reader.readline()).startswith(b"421")
    writer.close()
    await asyncio.gather(writer.wait_closed(), return_exceptions=True)
