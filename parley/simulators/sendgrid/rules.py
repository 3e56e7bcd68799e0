"""What SendGrid takes as a mail, and the words with which it turns the rest away."""

import binascii
import re
from collections.abc import Iterator

import msgspec

from parley.simulators.sendgrid.errors import Refused
from parley.simulators.sendgrid.mail import Address, Attachment, Mail, Personalization

_EMAIL = re.compile(r"[^@\s<>()\[\],;:\"\\]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z0-9-]{2,63}")
_PATH = re.compile(r" - at `\$\.?(.*)`$")
_MOST_RECIPIENTS = 1000
_THREE_DAYS = 259_200


_decoder = msgspec.json.Decoder(Mail)


def check(body: bytes, now: float) -> Mail:
    """Read a mail; raises `Refused` in SendGrid's words."""
    mail = _decode(body)
    _check_recipients(mail)
    _check_sender(mail.sender)
    _check_subject(mail)
    _check_content(mail)
    _check_attachments(mail.attachments)
    _check_extras(mail, now)
    return mail


def is_email(text: str) -> bool:
    """Whether SendGrid takes this as an address."""
    return len(text) <= 320 and _EMAIL.fullmatch(text) is not None


def _decode(body: bytes) -> Mail:
    try:
        return _decoder.decode(body)
    except msgspec.ValidationError as wrong:
        path = _PATH.search(str(wrong))
        field = path[1].replace("[", ".").replace("]", "") if path else None
        raise Refused("Invalid type.", field or None) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Refused("Bad Request") from None


def _check_recipients(mail: Mail) -> None:
    if not mail.personalizations:
        raise Refused(
            "The personalizations field is required and must have at least one personalization.",
            "personalizations",
            "-Personalizations-Errors",
        )
    if len(mail.personalizations) > _MOST_RECIPIENTS:
        raise Refused(
            "The personalization block is limited to 1000 personalizations per API request. "
            f"You have provided {len(mail.personalizations)} personalizations.",
            "personalizations",
        )
    total = 0
    for index, block in enumerate(mail.personalizations):
        if not block.to:
            raise Refused(
                "The to array is required for all personalization objects, and must have at least one email object "
                "with a valid email address.",
                f"personalizations.{index}.to",
                "message.personalizations.to",
            )
        total += _check_block(block, index)
    if total > _MOST_RECIPIENTS:
        raise Refused(
            "There is a limit of 1000 total recipients (to + cc + bcc) per request.", "personalizations"
        )


def _check_block(block: Personalization, index: int) -> int:
    seen: set[str] = set()
    for field, place, address in _addresses(block):
        where = f"personalizations.{index}.{field}"
        if not is_email(address.email):
            raise Refused(
                "Does not contain a valid address.", f"{where}.{place}.email", "message.personalizations"
            )
        email = address.email.lower()
        if email in seen:
            raise Refused(
                "Each email address in the personalization block should be unique between to, cc, and bcc. "
                f"We found the first duplicate instance of [{address.email}] in the {where} field.",
                f"personalizations.{index}",
                "message.recipient-errors",
            )
        seen.add(email)
    return len(seen)


def _addresses(block: Personalization) -> Iterator[tuple[str, int, Address]]:
    for field, addresses in (("to", block.to), ("cc", block.cc), ("bcc", block.bcc)):
        for place, address in enumerate(addresses):
            yield field, place, address


def _check_sender(sender: Address | None) -> None:
    if sender is None or not sender.email:
        raise Refused(
            "The from object must be provided for every email send. It is an object that requires the email "
            'parameter, but may also contain a name parameter.  e.g. {"email" : "example@example.com"}  or '
            '{"email" : "example@example.com", "name" : "Example Recipient"}.',
            "from.email",
            "message.from",
        )
    if not is_email(sender.email):
        raise Refused("The from email does not contain a valid address.", "from.email", "message.from")
    if sender.email.startswith("unverified@"):
        raise Refused(
            "The from address does not match a verified Sender Identity. Mail cannot be sent until this error is "
            "resolved. Visit https://sendgrid.com/docs/for-developers/sending-email/sender-identity/ to see the "
            "Sender Identity requirements",
            "from",
            status=403,
        )


def _check_subject(mail: Mail) -> None:
    if mail.subject or mail.template_id or all(block.subject for block in mail.personalizations):
        return
    raise Refused(
        "The subject is required. You can get around this requirement if you use a template with a subject defined "
        "or if every personalization has a subject defined.",
        "subject",
        "message.subject",
    )


def _check_content(mail: Mail) -> None:
    if not mail.content and not mail.template_id:
        raise Refused(
            "Unless a valid template_id is provided, the content parameter is required. There must be at least one "
            "defined content block. We typically suggest both text/plain and text/html blocks are included, but "
            "only one block is required.",
            "content",
            "message.content",
        )
    for index, content in enumerate(mail.content):
        if not content.value:
            raise Refused(
                "The content value must be a string at least one character in length.",
                f"content.{index}.value",
                "message.content.value",
            )
        if not content.type:
            raise Refused(
                "The content type must be a string.", f"content.{index}.type", "message.content.type"
            )
    types = [content.type for content in mail.content]
    if "text/plain" in types[1:]:
        raise Refused("If present, text/plain content must be first, followed by text/html.", "content")


def _check_attachments(attachments: list[Attachment]) -> None:
    for index, file in enumerate(attachments):
        if not file.filename:
            raise Refused("The attachment filename is required.", f"attachments.{index}.filename")
        if not _is_base64(file.content):
            raise Refused("The attachment content must be base64 encoded.", f"attachments.{index}.content")


def _is_base64(text: str) -> bool:
    try:
        binascii.a2b_base64(text, strict_mode=True)
    except (binascii.Error, ValueError):
        return False
    return bool(text)


def _check_extras(mail: Mail, now: float) -> None:
    if len(mail.categories) > 10:
        raise Refused("You may not include more than 10 categories.", "categories")
    moments = [mail.send_at, *(block.send_at for block in mail.personalizations)]
    if any(moment is not None and moment > now + _THREE_DAYS for moment in moments):
        raise Refused("Scheduling more than 72 hours in advance is forbidden.", "send_at")
