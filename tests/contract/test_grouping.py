"""Grouping: which messages share a conversation, and under which names it is known."""

from hashlib import sha256
from typing import Any
from uuid import UUID

import pytest

from parley.settings import Settings
from tests.contract.client import Api, email, email_webhook, mailbox, number, sms, sms_webhook
from tests.contract.inprocess import serving

SEND, HOOK = "/api/messages/sms", "/api/webhooks/sms"
MAIL, MAIL_HOOK = "/api/messages/email", "/api/webhooks/email"
URL = "https://example.com/a.png"
BUSINESS = "+12016661234"


async def test_both_directions_and_sms_and_mms_share_one_conversation(api: Api) -> None:
    """A conversation is the unordered pair, whatever the direction, the type and the provider."""
    them = number()
    answers = [
        await api.accepted(SEND, sms(recipient=them)),
        await api.accepted(HOOK, sms_webhook(sender=them)),
        await api.accepted(SEND, sms(recipient=them, type="mms", attachments=[URL])),
        await api.accepted(SEND, sms(sender=them, recipient=BUSINESS)),
        await api.accepted("/api/messages/send", sms(recipient=them)),
    ]
    assert len({answer["conversation_id"] for answer in answers}) == 1
    conversation = await api.conversation(answers[0]["conversation_id"])
    assert conversation["message_count"] == 5
    assert conversation["channels"] == ["mms", "sms"]
    assert conversation["key"] == f"sms:{min(BUSINESS, them)}<->{max(BUSINESS, them)}"


async def test_sms_and_email_are_conversations_of_their_own(api: Api) -> None:
    """The key carries the channel."""
    one = await api.accepted(SEND, sms())
    other = await api.accepted(MAIL, email())
    assert one["conversation_id"] != other["conversation_id"]
    assert (await api.conversation(other["conversation_id"]))["key"].startswith("email:")


async def test_a_client_can_compute_the_uuid(api: Api) -> None:
    """UUID(sha256 of both addresses in order), so that a client needs no look-up."""
    for path, event in ((HOOK, sms_webhook()), (MAIL_HOOK, email_webhook())):
        accepted = await api.accepted(path, event)
        digest = sha256("".join(sorted([event["from"], event["to"]])).encode()).hexdigest()
        assert (await api.conversation(str(UUID(digest[:32]))))["id"] == accepted["conversation_id"]


@pytest.mark.parametrize(
    "spelling",
    [
        "+1 {0} {1} {2}",
        "({0}) {1}-{2}",
        "{0}-{1}-{2}",
        "1{0}{1}{2}",
        "+1.{0}.{1}.{2}",
        "tel:+1-{0}-{1}-{2}",
        "  {0}{1}{2}  ",
    ],
)
async def test_a_phone_number_is_one_number_however_it_is_written(api: Api, spelling: str) -> None:
    """E.164 by libphonenumber; without a country code the default region counts."""
    them = number()
    first = await api.accepted(HOOK, sms_webhook(sender=them))
    written = spelling.format(them[2:5], them[5:8], them[8:])
    assert (await api.accepted(SEND, sms(recipient=written)))["conversation_id"] == first["conversation_id"]
    assert (await api.accepted(HOOK, sms_webhook(sender=written)))["conversation_id"] == first[
        "conversation_id"
    ]


@pytest.mark.parametrize("sender", ["72975", "Parley", "MY-BANK", "T-Mobile"])
async def test_short_codes_and_sender_ids_stay_as_they_are(api: Api, sender: str) -> None:
    """They are no phone numbers, and no region applies to them."""
    accepted = await api.accepted(SEND, sms(sender=sender))
    assert (await api.message(accepted["message_id"]))["from"] == sender
    assert sender in (await api.conversation(accepted["conversation_id"]))["participants"]


@pytest.mark.parametrize(
    "spelling",
    [
        "Ann Lee <{0}>",
        '"Lee, Ann" <{0}>',
        "[{0}](mailto:{0})",
        "  {0} ",
        "{1}",
        "<{0}>",
        "ANN <{1}>",
        "[Ann](MAILTO:{0})",
    ],
)
async def test_a_mailbox_is_one_mailbox_however_it_is_written(api: Api, spelling: str) -> None:
    """Names and Markdown links are unwrapped, case is no difference."""
    them = mailbox()
    first = await api.accepted(MAIL_HOOK, email_webhook(sender=them))
    written = spelling.format(them, them.upper())
    sent = await api.accepted(MAIL, email(recipient=written))
    assert sent["conversation_id"] == first["conversation_id"]
    assert (await api.message(sent["message_id"]))["to"] == them


async def test_a_tag_is_folded_for_grouping_only(api: Api) -> None:
    """Mail goes to the address as given; the conversation is that of the plain address."""
    them = mailbox()
    tagged = them.replace("@", "+orders@")
    first = await api.accepted(MAIL_HOOK, email_webhook(sender=them))
    sent = await api.accepted(MAIL, email(recipient=tagged))
    assert sent["conversation_id"] == first["conversation_id"]
    assert (await api.message(sent["message_id"]))["to"] == tagged
    assert them in (await api.conversation(sent["conversation_id"]))["participants"]


async def test_somebody_may_write_to_himself(api: Api) -> None:
    """A set of one is a pair all the same."""
    them = number()
    accepted = await api.accepted(SEND, sms(sender=them, recipient=them))
    conversation = await api.conversation(accepted["conversation_id"])
    assert (conversation["participant_a"], conversation["participant_b"]) == (them, them)


async def test_grouping_by_channel_gives_mms_a_thread_of_its_own(settings: Settings) -> None:
    """CONVERSATION_GROUPING=channel, for clients that want that."""
    async with serving(settings, conversation_grouping="channel") as api:
        them = number()
        text = await api.accepted(SEND, sms(recipient=them))
        picture = await api.accepted(HOOK, sms_webhook(sender=them, type="mms", attachments=[URL]))
        again = await api.accepted(HOOK, sms_webhook(sender=them))
        assert text["conversation_id"] == again["conversation_id"] != picture["conversation_id"]
        one, other = await api.conversation("1"), await api.conversation("2")
        assert one["key"].startswith("sms:")
        assert other["key"].startswith("mms:")
        assert one["uuid"] != other["uuid"]


async def test_the_default_region_reads_numbers_without_a_country_code(settings: Settings) -> None:
    """DEFAULT_REGION=DE."""
    async with serving(settings, default_region="DE") as api:
        accepted = await api.accepted(SEND, sms(recipient="030 901820"))
        assert (await api.message(accepted["message_id"]))["to"] == "+4930901820"


SNIPPETS: list[tuple[str, str, str]] = [
    ("sms", "one\n two\t three  ", "one two three"),
    ("sms", "a" * 100, "a" * 64),
    ("sms", "👨‍👩‍👧‍👦" * 70, "👨‍👩‍👧‍👦" * 64),
    ("sms", "<p>kept</p>", "<p>kept</p>"),
    ("email", "<style>p{}</style><p>Hello <b>Ann</b></p><script>x()</script>&amp; all", "Hello Ann & all"),
    ("email", "3 < 4 and 5 > 4", "3 < 4 and 5 > 4"),
    ("email", "<!-- nothing --><br>", ""),
]


@pytest.mark.parametrize(("channel", "body", "snippet"), SNIPPETS)
async def test_a_snippet_is_one_line_of_whole_characters(
    api: Api, channel: str, body: str, snippet: str
) -> None:
    """Whitespace collapsed, HTML reduced to text, cut at 64 grapheme clusters."""
    event: dict[str, Any] = email_webhook(body=body) if channel == "email" else sms_webhook(body=body)
    accepted = await api.accepted(MAIL_HOOK if channel == "email" else HOOK, event)
    assert (await api.message(accepted["message_id"]))["snippet"] == snippet
    assert (await api.conversation(accepted["conversation_id"]))["last_message"]["snippet"] == snippet


@pytest.mark.parametrize("length", [1, 4096])
async def test_the_snippets_length_can_be_set(settings: Settings, length: int) -> None:
    """CONVERSATION_SNIPPET_LENGTH, 1 to 4096."""
    async with serving(settings, conversation_snippet_length=length) as api:
        await api.accepted(HOOK, sms_webhook(body="🇩🇪é" * 3000))
        snippet = (await api.conversation("1"))["last_message"]["snippet"]
        assert snippet == ("🇩🇪é" * 3000)[: length // 2 * 3 + length % 2 * 2]
