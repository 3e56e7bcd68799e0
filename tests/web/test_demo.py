"""The demonstration: believable, the same every time, and never twice."""

from collections import Counter
from datetime import UTC, datetime, timedelta

from parley.core.text import storable
from parley.demo import fill
from parley.demo.script import lines
from tests.web.service import Service

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)


def test_the_script_is_the_same_for_the_same_seed() -> None:
    """Deterministic, spread over three weeks, in every channel and in both directions."""
    script = lines(1, NOON)
    assert script == lines(1, NOON)
    assert script != lines(2, NOON)
    assert len({line.id for line in script}) == len(script) > 300
    assert NOON - timedelta(days=23) < script[0].at < script[-1].at < NOON
    assert {(line.channel, line.inbound) for line in script} == {
        (channel, inbound) for channel in ("sms", "mms", "email") for inbound in (True, False)
    }
    assert all(line.contact != line.own for line in script)
    assert all(line.text == storable(line.text) for line in script)


def test_only_invented_people_write() -> None:
    """Numbers are those kept free for stories, mailboxes those of documentation."""
    for line in lines(1, NOON):
        assert (
            "55501" in line.contact
            or line.contact.startswith("+150055")
            or ".example." in line.contact + "."
            or ("@example." in line.contact)
        )


async def test_a_second_run_doubles_nothing(service: Service) -> None:
    """Keys and provider ids come from the seed."""
    first = await fill(service.url, seed=7, now=NOON, progress=lambda done, total: None)
    assert set(first) == {"new"}
    again = await fill(service.url, seed=7, now=NOON + timedelta(hours=1), progress=lambda done, total: None)
    assert again == Counter(known=first["new"])
