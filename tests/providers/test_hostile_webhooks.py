"""Webhooks from whoever finds the address."""

from contextlib import suppress

import pytest
from aiohttp import ClientSession
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parley.core.errors import Forged, Unreadable
from parley.core.webhook import Webhook
from tests.providers.signing import NOW
from tests.providers.vendors import NAMES, provider

KINDS = st.sampled_from(
    [
        "application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=b",
        "multipart/form-data",
        "multipart/form-data; boundary=" + "b" * 200,
        "text/plain",
        "",
    ]
)
BODIES = st.one_of(
    st.binary(max_size=300),
    st.lists(
        st.sampled_from(
            [
                b"--b\r\n",
                b"--b--\r\n",
                b"\r\n",
                b'Content-Disposition: form-data; name="headers"\r\n\r\n',
                b'Content-Disposition: form-data; name="email"\r\n\r\n',
                b'Content-Disposition: form-data; name="from"\r\n\r\na@b.c',
                b'Content-Disposition: form-data; name="to"\r\n\r\na@b.c',
                b'Content-Disposition: form-data; name="charsets"\r\n\r\n{"text":"undefined","from":"\\u0000"}',
                b'Content-Disposition: form-data; name="f"; filename="x"\r\n\r\n',
                b"Message-ID: <x@y>\r\nDate: 99 Foo 0\r\n",
                b"Content-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n",
                b"Content-Type: text/plain; charset=\"\xff\"; name*0*=x''y; name*99999999999=z\r\n\r\n",
                b"From=a&To=b&Body=%ff%00&MediaUrl0=&MessageSid=",
                b"MessageStatus=odd&MessageSid=SM1",
                b'[{"event":"open","timestamp":1e400,"sg_event_id":[],"parley_message_id":7}]',
                b'[{"event":{},"timestamp":"x"},{}]',
                b'{"data":{"event_type":"message.received","payload":{"to":[{}],"from":{}}}}',
                b'{"data":{"event_type":"message.x","payload":{}}}',
                b"\xff\x00",
            ]
        ),
        max_size=8,
    ).map(b"".join),
)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kind=KINDS, body=BODIES, header=st.text(max_size=40), query=st.text(max_size=20))
async def test_hostile_webhooks_are_refused_in_our_words(
    name: str, session: ClientSession, kind: str, body: bytes, header: str, query: str
) -> None:
    """Whatever comes in, verify raises Forged and parse raises Unreadable, and nothing else escapes."""
    signed = (
        "x-twilio-signature",
        "x-twilio-email-event-webhook-signature",
        "x-twilio-email-event-webhook-timestamp",
        "telnyx-signature-ed25519",
        "telnyx-timestamp",
    )
    url = f"https://parley.example/api/webhooks/{name}?message_id={query}&token={query}&bodySHA256={query}"
    headers = {"content-type": kind, **dict.fromkeys(signed, header)}
    webhook = Webhook(method="POST", url=url, headers=headers, body=body)
    reading = provider(name, session)
    with pytest.raises(Forged):
        reading.verify(webhook, NOW)
    with suppress(Unreadable):
        reading.parse(webhook)
