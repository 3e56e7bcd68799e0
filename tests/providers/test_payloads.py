"""One harness for all recorded payloads: what we ask of a vendor, what it answers, and what it reports."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import msgspec
import pytest
from aiohttp import ClientSession

from parley.core.errors import Unreadable
from parley.core.message import Inbound
from parley.core.outcome import Accepted, SendFailed
from parley.core.webhook import Webhook
from parley.providers import sendgrid, telnyx, twilio
from tests.providers.vendors import HTTP_VENDORS, NAMES, MailStage, Stage, answering, message, provider

HERE = Path(__file__).parent


def recorded(vendor: str, table: str) -> list[dict[str, Any]]:
    """One table of one vendor."""
    rows: list[dict[str, Any]] = json.loads((HERE / vendor / f"{table}.json").read_text(encoding="utf-8"))
    return rows


def cases(table: str, vendors: tuple[str, ...]) -> list[Any]:
    """The rows of a table of several vendors, each named after its rule."""
    return [
        pytest.param(vendor, row, id=f"{vendor}: {row['rule']}".encode("ascii", "replace").decode())
        for vendor in vendors
        for row in recorded(vendor, table)
    ]


@pytest.mark.parametrize(("name", "row"), cases("requests", HTTP_VENDORS))
async def test_a_request_is_what_the_vendor_documents(
    name: str, row: dict[str, Any], stage: Stage, session: ClientSession
) -> None:
    """The vendor is asked in its own words: address, headers and body."""
    stage.play = answering(500)
    with pytest.raises(SendFailed):
        await provider(name, session, stage.address, **row.get("settings", {})).send(
            message(name, **row["message"])
        )
    [asked], want = stage.asked, row["request"]
    assert (asked.method, asked.path) == (want.get("method", asked.method), want.get("path", asked.path))
    assert {key: asked.headers[key] for key in want.get("headers", {})} == want.get("headers", {})
    if "form" in want:
        assert [list(pair) for pair in parse_qsl(asked.body.decode())] == want["form"]
    else:
        assert json.loads(asked.body) == want["json"]


@pytest.mark.parametrize(("name", "row"), cases("answers", NAMES))
async def test_an_answer_means_what_the_table_says(
    name: str, row: dict[str, Any], stage: Stage, mail: MailStage, session: ClientSession
) -> None:
    """Every answer of a vendor has one outcome, with the vendor's code and text kept."""
    if name == "smtp":
        mail.replies = row["replies"]
    else:
        stage.play = answering(row["status"], row["body"], row.get("headers"))
    address = mail.address if name == "smtp" else stage.address
    sending = provider(name, session, address, provider_timeout_secs=0.5 if name == "smtp" else 5.0)
    if "accepted" in row:
        accepted = await sending.send(message(name))
        assert accepted == Accepted(row["accepted"], row.get("status"))
        return
    with pytest.raises(SendFailed) as caught:
        await sending.send(message(name))
    failed = caught.value
    assert (failed.outcome, failed.code) == (row["outcome"], row.get("code"))
    assert failed.detail == row.get("detail", failed.detail)
    assert failed.retry_after == row.get("retry_after")


@pytest.mark.parametrize(("name", "row"), cases("webhooks", HTTP_VENDORS))
async def test_a_webhook_says_what_the_table_says(
    name: str, row: dict[str, Any], session: ClientSession
) -> None:
    """Every report of a vendor is translated whole, or refused as unreadable."""
    reading, webhook = provider(name, session), request(name, row)
    if row.get("unreadable"):
        with pytest.raises(Unreadable):
            reading.parse(webhook)
        return
    assert [told(event) for event in reading.parse(webhook)] == row["gives"]


def told(event: Any) -> dict[str, Any]:
    """An event as the tables write it: without what it leaves open."""
    fields = json.loads(msgspec.json.encode(event))
    kind = "inbound" if isinstance(event, Inbound) else "status"
    return {"is": kind, **{key: value for key, value in fields.items() if value not in (None, [])}}


def request(name: str, row: dict[str, Any]) -> Webhook:
    """The webhook of a row."""
    if "json" in row:
        kind, body = "application/json", json.dumps(row["json"]).encode()
    elif "multipart" in row:
        kind, body = "multipart/form-data; boundary=xYzZY", multipart(row["multipart"])
    else:
        form = row.get("form", {})
        form = form if isinstance(form, dict) else [tuple(pair) for pair in form]
        kind, body = "application/x-www-form-urlencoded", urlencode(form).encode()
    return Webhook(
        method=row.get("method", "POST"),
        url=row.get("url", f"https://parley.example/api/webhooks/{name}"),
        headers={"content-type": kind, **row.get("headers", {})},
        body=body,
    )


def multipart(parts: dict[str, Any]) -> bytes:
    """A form as SendGrid posts it; a field may be written in a charset of its own."""
    lines = []
    for name, value in parts["fields"].items():
        [(charset, text)] = value.items() if isinstance(value, dict) else [("utf-8", value)]
        lines.append(b'form-data; name="%s"\r\n\r\n%s' % (name.encode(), text.encode(charset)))
    for name, filename, content in parts.get("files", []):
        head = f'form-data; name="{name}"; filename="{filename}"\r\nContent-Type: image/png\r\n\r\n{content}'
        lines.append(head.encode())
    body = b"".join(b"--xYzZY\r\nContent-Disposition: %s\r\n" % line for line in lines)
    return body + b"--xYzZY--\r\n"


def test_the_tables_cover_every_code_that_the_vendors_files_know() -> None:
    """A code that is added to a vendor's file is added to its table."""
    known: dict[str, Any] = {"twilio": twilio.CODES, "telnyx": telnyx.CODES}
    for vendor, codes in known.items():
        tried = {row.get("code") for row in recorded(vendor, "answers")}
        assert {str(code) for group in codes.values() for code in group} <= tried


def test_the_tables_cover_every_status_that_the_vendors_files_know() -> None:
    """A status that is added to a vendor's file is added to its table."""
    known: dict[str, Any] = {
        "twilio": twilio.STATUSES,
        "telnyx": telnyx.STATUSES,
        "sendgrid": sendgrid.STATUSES,
    }
    for vendor, words in known.items():
        events = [event for row in recorded(vendor, "webhooks") for event in row.get("gives", [])]
        # Twilio says `received` of inbound messages only, and then the webhook is a message.
        assert set(words) - {"received"} <= {event.get("vendor_status") for event in events}
