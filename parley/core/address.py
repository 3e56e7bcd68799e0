"""One choke point for addresses: how they came, how they are dialled, how they group."""

import re
from email.utils import parseaddr
from functools import lru_cache

import msgspec
import phonenumbers
from email_validator import EmailNotValidError, validate_email

from parley.core.message import Channel

_MARKDOWN_LINK = re.compile(r"^\[[^\]]*\]\(mailto:([^)\s]+)\)$", re.IGNORECASE)
_SHORT_CODE = re.compile(r"^[0-9]{3,8}$")
_SENDER_ID = re.compile(r"^(?=.*[A-Za-z])[A-Za-z0-9 &._+-]{1,11}$")
_LONGEST = 320


class Address(msgspec.Struct, frozen=True):
    """`value` is what is shown and dialled, `group` is what makes a conversation; they differ in a +tag."""

    value: str
    group: str


def parse(raw: str, channel: Channel, region: str) -> Address:
    """Read an address of a channel; raises `ValueError` with what is wrong with it."""
    if len(raw) > _LONGEST:
        raise ValueError(f"is longer than {_LONGEST} characters")
    return _email(raw) if channel == "email" else _phone(raw, region)


def lenient(raw: str, channel: Channel, region: str) -> Address:
    """Read an address that a provider vouches for: what no rule fits is kept as it is."""
    try:
        return parse(raw, channel, region)
    except ValueError:
        kept = raw.strip()[:_LONGEST]
        return Address(kept, kept.lower())


@lru_cache(maxsize=65_536)
def _phone(raw: str, region: str) -> Address:
    text = raw.strip()
    if _SHORT_CODE.match(text) or _SENDER_ID.match(text):
        return Address(text, text)
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        raise ValueError("is not a phone number, a short code or a sender id") from None
    if not phonenumbers.is_possible_number(number):
        raise ValueError("is not a possible phone number")
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return Address(e164, e164)


@lru_cache(maxsize=65_536)
def _email(raw: str) -> Address:
    mailbox = unwrap(raw)
    try:
        checked = validate_email(
            mailbox, check_deliverability=False, allow_smtputf8=True, test_environment=True
        )
    except EmailNotValidError as error:
        raise ValueError(f"is not an email address: {str(error).rstrip('.')}") from None
    value = checked.normalized.lower()
    local, _, domain = value.rpartition("@")
    return Address(value, f"{local.partition('+')[0] or local}@{domain}")


def unwrap(raw: str) -> str:
    """Take the bare address out of `Name <a@b>` or Markdown's `[a@b](mailto:a@b)`."""
    text = raw.strip()
    if link := _MARKDOWN_LINK.match(text):
        return link[1]
    if text.endswith(">"):
        return parseaddr(text)[1] or text
    return text
