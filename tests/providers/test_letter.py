"""Letters: addresses that mail can go to, and a text beside every HTML."""

import time

import pytest

from parley.core.outcome import Rejected
from parley.providers.mail import letter, plain
from tests.providers.vendors import message


@pytest.mark.parametrize(
    "address",
    [
        "ann@example.com\r\nBcc: spy@example.com",
        "ann@example.com\nRCPT TO:<spy@example.com>",
        "Ann\r\nBcc: spy@example.com <ann@example.com>",
        "ann@example.com, spy@example.com",
        "ann@example.com> <spy@example.com",
        "ann@exam\u2028ple.com",
        "ann",
        "@example.com",
        "+12025550123",
        "",
    ],
)
@pytest.mark.parametrize("field", ["sender", "recipient", "cc", "bcc", "reply_to"])
def test_an_address_that_mail_cannot_go_to_is_rejected(field: str, address: str) -> None:
    """An address is never repaired into one that nobody wrote."""
    if field == "reply_to" and not address:
        return
    with pytest.raises(Rejected) as caught:
        letter(message("smtp", **{field: (address,) if field in ("cc", "bcc") else address}))
    assert caught.value.code == "invalid_address"


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>one</p><p>two</p>", "one\ntwo"),
        ("one<br/>two<BR>three", "one\ntwo\nthree"),
        ("<style>p{}</style><script>alert(1)</script><!-- no -->yes", "yes"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"),
        ("1 &lt; 2 &amp; 3&nbsp;&gt; 2", "1 < 2 & 3 > 2"),
        ("<a href=https://x.example/>here</a> <a name=top>there</a>", "here (https://x.example/) there"),
        ('<a href="javascript:alert(1)">no</a>', "no"),
        ("", ""),
    ],
)
def test_html_becomes_text_that_reads_well(html: str, text: str) -> None:
    """Lines stay lines, and a link keeps its address."""
    assert plain(html) == text


@pytest.mark.parametrize(
    "piece", ["<a", "<a ", "<a href=", "<br", "</", "<", "&", "<p>", "<!--", "</body", "<a href=x>"]
)
def test_no_markup_takes_long_to_read(piece: str) -> None:
    """The work grows with the length of a body and not with its square."""
    start = time.perf_counter()
    letter(message("smtp", body=piece * (262_144 // len(piece)), attachments=("https://x.example/",)))
    assert time.perf_counter() - start < 2
