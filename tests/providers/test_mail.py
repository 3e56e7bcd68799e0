"""Mail as it goes out: whole letters, and nothing in them that could break one."""

import ssl
from email import message_from_bytes
from email.policy import default
from email.utils import getaddresses
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parley.core.outcome import Accepted, Rejected, Unavailable
from tests.providers.vendors import MESSAGE_ID, SECRETS, MailStage, certified, mail_stage, message, provider

HEADERS = {
    *("message-id", "date", "from", "to", "cc", "reply-to", "subject"),
    *("mime-version", "content-type", "content-transfer-encoding"),
}


async def delivered(mail: MailStage, session: ClientSession, **changes: Any) -> tuple[Any, list[str]]:
    """The mail that arrives, and whom the envelope names."""
    sent = await provider("smtp", session, mail.address).send(message("smtp", **changes))
    post = message_from_bytes(mail.content[-1], policy=default)
    assert post["Message-ID"] == f"<{sent.provider_message_id}>"
    return post, mail.envelopes[-1][1]


async def test_a_mail_arrives_whole(mail: MailStage, session: ClientSession) -> None:
    """Addresses, names, subject and both kinds of body arrive as they were meant; a blind copy stays blind."""
    post, envelope = await delivered(
        mail,
        session,
        sender='"Desk, The" <desk@parley.example>',
        recipient="Zoë Ümläut <ann@example.com>",
        cc=("bob@example.com", "Ann again <ANN@example.com>"),
        bcc=("spy@example.com",),
        reply_to="answers@parley.example",
        subject="Größe " + "x" * 300,
        body="<p>Grüße,<br>Ünë</p>\n" + "y" * 3000 + "\n.\n<a href='https://x.example/'>go</a>",
        attachments=("https://x.example/a.pdf",),
    )
    assert envelope == ["ann@example.com", "bob@example.com", "spy@example.com"]
    assert [str(address) for address in post["From"].addresses] == ['"Desk, The" <desk@parley.example>']
    assert [str(address) for address in post["To"].addresses] == ["Zoë Ümläut <ann@example.com>"]
    assert [str(address) for address in post["Cc"].addresses] == ["bob@example.com"]
    assert (post["Reply-To"], post["Bcc"]) == ("answers@parley.example", None)
    assert post["Subject"] == "Größe " + "x" * 300
    text, html = (post.get_body((kind,)).get_content().replace("\r\n", "\n") for kind in ("plain", "html"))
    assert text.splitlines()[:2] == ["Grüße,", "Ünë"]
    assert text.rstrip().endswith("go (https://x.example/)\n\nAttachments:\n- https://x.example/a.pdf")
    assert html.startswith("<p>Grüße,<br>Ünë</p>")
    assert 'href="https://x.example/a.pdf"' in html
    assert [part.get_content_type() for part in post.iter_parts()] == ["text/plain", "text/html"]


async def test_a_long_address_stays_whole(mail: MailStage, session: ClientSession) -> None:
    """Ids and addresses are never folded into something else."""
    domain = "x".join(["sub-domain."] * 18) + "example"
    post, envelope = await delivered(
        mail, session, sender=f"desk@{domain}", recipient=f"{'a' * 64}@{domain}", body="hi"
    )
    assert post["Message-ID"] == f"<{MESSAGE_ID}@{domain}>"
    assert envelope == [f"{'a' * 64}@{domain}"]
    assert str(post["From"]) == f"desk@{domain}"


async def test_a_text_stays_a_text(mail: MailStage, session: ClientSession) -> None:
    """What is no markup gets no HTML beside it, and an address in angle brackets is no markup."""
    body = "Write to <joe@example.com> if 1 < 2 and 3 > 2.\nBye"
    post, _ = await delivered(mail, session, body=body)
    assert (post.get_content_type(), post.get_content().splitlines()) == ("text/plain", body.splitlines())


async def test_the_same_mail_sent_twice_has_the_same_id(mail: MailStage, session: ClientSession) -> None:
    """A server that knows Message-IDs can drop what a doubtful attempt sent before."""
    sending = provider("smtp", session, mail.address)
    first, second = await sending.send(message("smtp")), await sending.send(message("smtp"))
    assert first == second == Accepted(f"{MESSAGE_ID}@parley.example")


async def test_a_copy_that_nobody_takes_does_not_keep_the_mail_from_going(
    mail: MailStage, session: ClientSession
) -> None:
    """The mail is for its recipient."""
    mail.replies["RCPT bob@example.com"] = "550 5.1.1 no such user"
    _, envelope = await delivered(mail, session, cc=("bob@example.com", "carl@example.com"))
    assert envelope == ["ann@example.com", "carl@example.com"]


async def test_a_mail_goes_to_no_copies_when_its_recipient_is_refused(
    mail: MailStage, session: ClientSession
) -> None:
    """A mail that its recipient does not get is not sent at all."""
    mail.replies["RCPT ann@example.com"] = "550 5.1.1 no such user"
    with pytest.raises(Rejected):
        await delivered(mail, session, cc=("carl@example.com",))
    assert mail.content == []


async def test_an_address_in_another_script_needs_a_server_that_takes_it(session: ClientSession) -> None:
    """With SMTPUTF8 the address goes out as it is, and without it the mail is refused."""
    async with mail_stage() as able:
        post, envelope = await delivered(able, session, recipient="Zoë <zoë@example.com>")
        assert (envelope, str(post["To"])) == (["zoë@example.com"], "Zoë <zoë@example.com>")
    async with mail_stage(utf8=False) as unable:
        with pytest.raises(Rejected):
            await delivered(unable, session, recipient="zoë@example.com")


async def test_a_server_without_the_security_that_was_asked_for_is_unavailable(
    mail: MailStage, session: ClientSession
) -> None:
    """Neither mail nor password goes out in the clear where TLS is configured."""
    for security in ("starttls", "tls"):
        sending = provider(
            "smtp",
            session,
            mail.address,
            smtp_security=security,
            smtp_username="desk",
            smtp_password=SECRETS["smtp_password"],
        )
        with pytest.raises(Unavailable):
            await sending.send(message("smtp"))
    assert mail.content == []


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A certificate for the stage, from an authority that this process trusts."""
    context, certificate = certified(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    return context


async def test_a_mail_goes_over_starttls_after_a_login(
    trusted: ssl.SSLContext, session: ClientSession
) -> None:
    """The password is said to a server that has shown its certificate, and the mail follows."""
    login = {"smtp_security": "starttls", "smtp_username": "desk", "smtp_password": SECRETS["smtp_password"]}
    async with mail_stage(tls=trusted) as stage:
        sent = await provider("smtp", session, stage.address, **login).send(message("smtp"))
        assert sent == Accepted(f"{MESSAGE_ID}@parley.example")
        assert stage.logins == [("desk", SECRETS["smtp_password"])]
        assert len(stage.content) == 1


async def test_a_wrong_password_is_no_fault_of_the_mail(
    trusted: ssl.SSLContext, session: ClientSession
) -> None:
    """It befalls every mail alike: the mail waits or goes another way."""
    login = {"smtp_security": "starttls", "smtp_username": "desk", "smtp_password": "wrong"}
    async with mail_stage(tls=trusted) as stage:
        with pytest.raises(Unavailable) as caught:
            await provider("smtp", session, stage.address, **login).send(message("smtp"))
        assert caught.value.code == "535"


async def test_a_certificate_that_nobody_vouches_for_is_not_believed(
    tmp_path: Path, session: ClientSession
) -> None:
    """A password goes to nobody who only says that he is the server."""
    login = {"smtp_security": "starttls", "smtp_username": "desk", "smtp_password": SECRETS["smtp_password"]}
    context, _ = certified(tmp_path)
    async with mail_stage(tls=context) as stage:
        with pytest.raises(Unavailable):
            await provider("smtp", session, stage.address, **login).send(message("smtp"))
        assert (stage.logins, stage.content) == ([], [])


LETTERS = [*'ab,;:<>@"\\()[]=?_.é☕ ', "=?utf-8?q?", "=0D=0A", "?=", "Bcc: x@y.z"]
BREAKS = [*"\r\n\t\x00\x0b\x85\u2028"]
NAMES = st.lists(st.sampled_from(LETTERS), max_size=60).map("".join)
SUBJECTS = st.lists(st.sampled_from(LETTERS + BREAKS), max_size=60).map("".join)


def quote(name: str) -> str:
    """A name as it stands between quotation marks."""
    return name.replace("\\", "\\\\").replace('"', '\\"')


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=NAMES, subject=SUBJECTS, other=NAMES)
async def test_no_text_can_add_a_header_or_a_recipient(
    name: str, subject: str, other: str, mail: MailStage, session: ClientSession
) -> None:
    """Names and subjects of any letters leave the headers and the envelope as they were."""
    mail.content.clear()
    people = {
        "recipient": f'"{quote(name)}" <ann@example.com>',
        "cc": (f'"{quote(other)}" <bob@example.com>',),
    }
    await provider("smtp", session, mail.address).send(message("smtp", subject=subject, **people))
    post = message_from_bytes(mail.content[-1])
    assert {key.lower() for key in post.keys()} <= HEADERS  # noqa: SIM118 - a message iterates over other things
    assert len(post.keys()) == len(set(post.keys()))
    for header, address in (("To", "ann@example.com"), ("Cc", "bob@example.com")):
        assert [found for _, found in getaddresses([post[header]])] == [address]
    assert mail.envelopes[-1] == ("desk@parley.example", ["ann@example.com", "bob@example.com"])
