"""Addresses: however they are written, one person is one address."""

import pytest

from parley.core.address import lenient, parse, unwrap


@pytest.mark.parametrize(
    "raw",
    [
        "+12016661234",
        "+1 (201) 666-1234",
        "201-666-1234",
        "(201) 666.1234",
        "1 201 666 1234",
        "tel:+1-201-666-1234",
    ],
)
def test_a_phone_number_has_one_form_however_it_is_written(raw: str) -> None:
    """Formatting is removed and the country filled in."""
    assert parse(raw, "sms", "US").value == "+12016661234"


def test_the_default_region_decides_about_national_numbers() -> None:
    """The same digits are another number in another country."""
    assert parse("030 123456", "sms", "DE").value == "+4930123456"


@pytest.mark.parametrize("raw", ["12345", "911", "PARLEY", "My Shop", "Bank-24"])
def test_short_codes_and_sender_ids_stay_as_they_are(raw: str) -> None:
    """They have no country and no length rule of E.164."""
    assert parse(raw, "sms", "US").value == raw


@pytest.mark.parametrize(
    "raw", ["+1", "a name that is too long to be a sender id", "++++", "\u0661", "+1201666123412345678"]
)
def test_what_cannot_be_a_phone_number_is_refused(raw: str) -> None:
    """Plausible for the channel, or an error that says why not."""
    with pytest.raises(ValueError, match="is not"):
        parse(raw, "sms", "US")


@pytest.mark.parametrize(
    "raw",
    ["ann@example.com", "Ann@Example.COM", "Ann <ann@example.com>", '"Ann, the first" <ann@example.com>',
     "[ann@example.com](mailto:ann@example.com)", "  ann@example.com "],
)  # fmt: skip
def test_an_email_address_has_one_form_however_it_is_wrapped(raw: str) -> None:
    """Names and Markdown are unwrapped, case is folded."""
    assert parse(raw, "email", "US").value == "ann@example.com"


def test_a_tag_is_folded_for_grouping_only() -> None:
    """Mail still goes to the tagged address."""
    address = parse("Ann+news@example.com", "email", "US")
    assert (address.value, address.group) == ("ann+news@example.com", "ann@example.com")


@pytest.mark.parametrize(
    "raw", ["ann", "@example.com", "ann@", "ann@localhost", "a b@example.com", "ann@exa mple.com"]
)
def test_what_cannot_be_an_email_address_is_refused(raw: str) -> None:
    """Plausible for the channel, or an error that says why not."""
    with pytest.raises(ValueError, match="is not"):
        parse(raw, "email", "US")


def test_a_providers_odd_address_is_kept() -> None:
    """Inbound messages are not bounced for being odd."""
    assert lenient(" Unknown Caller (blocked) ", "sms", "US").value == "Unknown Caller (blocked)"


def test_unwrapping_keeps_the_case_of_the_mailbox() -> None:
    """Mail goes to the address as it was given."""
    assert unwrap("Ann <Ann@Example.com>") == "Ann@Example.com"
