"""SendGrid's Inbound Parse: a mail as multipart form, with nothing that says when it came or which one it is."""

from email.utils import formatdate, parseaddr
from typing import Any

from aiohttp import FormData

from parley.simulators import media
from parley.simulators.wire import json_encode


def parsed_mail(
    *,
    sender: str,
    recipient: str,
    subject: str,
    body: str,
    attachments: list[str],
    headers: dict[str, str],
    moment: float,
) -> FormData:
    """The form that Inbound Parse posts."""
    markup = body.lstrip().startswith("<")
    fields: dict[str, str] = {
        "headers": _header_block(sender, recipient, subject, headers, moment),
        "dkim": "{@example.com : pass}",
        "to": recipient,
        "from": sender,
        "html" if markup else "text": body,
        "sender_ip": "192.0.2.25",
        "spam_report": "",
        "spam_score": "0.0",
        "envelope": _json({"to": [parseaddr(recipient)[1]], "from": parseaddr(sender)[1]}),
        "attachments": str(len(attachments)),
        "subject": subject,
        "charsets": _json(dict.fromkeys(("to", "from", "subject", "text", "html"), "UTF-8")),
        "SPF": "pass",
    }
    form = FormData(default_to_multipart=True)
    for name, value in fields.items():
        form.add_field(name, value)
    _attach(form, attachments)
    return form


def _attach(form: FormData, attachments: list[str]) -> None:
    described: dict[str, Any] = {}
    for number, url in enumerate(attachments, 1):
        name, kind = media.file_name(url), media.content_type(url)
        described[f"attachment{number}"] = {"filename": name, "name": name, "type": kind}
        form.add_field(f"attachment{number}", media.content(url), filename=name, content_type=kind)
    if described:
        form.add_field("attachment-info", _json(described))


def _header_block(sender: str, recipient: str, subject: str, headers: dict[str, str], moment: float) -> str:
    lines = {
        "Received": "from mail.example.com by mx.sendgrid.net (simulated)",
        "Date": formatdate(moment),
        "From": sender,
        "To": recipient,
        "Subject": subject,
        **headers,
    }
    return "".join(f"{name}: {' '.join(value.split())}\n" for name, value in lines.items())


def _json(value: Any) -> str:
    return json_encode(value).decode()
