"""Whatever is sent, the answer is the vendor's 4xx and never a 500."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import quote

import pytest
from aiohttp import ClientSession
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parley.simulators import credentials
from parley.simulators.app import build
from parley.simulators.config import Simulation
from tests.simulators.clients import AUTH, PATH
from tests.simulators.stage import Stage

Headers = Mapping[str, str]
BEARER = {
    "sendgrid": {
        "Authorization": f"Bearer {credentials.SENDGRID_API_KEY}",
        "Content-Type": "application/json",
    },
    "telnyx": {"Authorization": f"Bearer {credentials.TELNYX_API_KEY}", "Content-Type": "application/json"},
}
PATHS = {"sendgrid": "/sendgrid/v3/mail/send", "telnyx": "/telnyx/v2/messages"}
WORDS = [
    "to",
    "from",
    "text",
    "email",
    "personalizations",
    "content",
    "value",
    "type",
    "subject",
    "custom_args",
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(WORDS) | st.text(max_size=5), inner)
    ),
    max_leaves=12,
)
FORMS = st.dictionaries(
    st.sampled_from(["To", "From", "Body", "MediaUrl", "StatusCallback", "SendAt", "ScheduleType", "Status"]),
    st.sampled_from(["+12016661234", "+18045551234", "fixed", "MG" + "0" * 32, "http://[", "\x00", "½²³", ""])
    | st.text(max_size=30),
)


class Answer(NamedTuple):
    """A response, read."""

    status_code: int
    content: bytes

    def json(self) -> Any:
        """The decoded JSON."""
        return json.loads(self.content)


class Direct:
    """Calls the application without a server, so that an exception inside it fails the test."""

    def __init__(self) -> None:
        self._app = build(Simulation())
        self._loop = asyncio.new_event_loop()

    def call(
        self, method: str, target: str, body: bytes = b"", headers: Headers = MappingProxyType({})
    ) -> Answer:
        """Send a request."""
        return self._loop.run_until_complete(self._call(method, target, body, headers))

    def close(self) -> None:
        """Close the loop."""
        self._loop.close()

    async def _call(self, method: str, target: str, body: bytes, headers: Headers) -> Answer:
        path, _, query = target.partition("?")
        raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
        scope = {
            "type": "http", "method": method, "path": path, "raw_path": path.encode(), "root_path": "",
            "query_string": query.encode(), "headers": raw, "scheme": "http",
        }  # fmt: skip
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": body}

        async def send(event: Any) -> None:
            sent.append(event)

        await self._app(scope, receive, send)
        return Answer(sent[0]["status"], b"".join(event.get("body", b"") for event in sent))


@pytest.fixture(scope="module")
def client() -> Iterator[Direct]:
    """The application, called directly."""
    direct = Direct()
    yield direct
    direct.close()


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    vendor=st.sampled_from(sorted(PATHS)),
    body=JSON.map(lambda value: json.dumps(value).encode()) | st.binary(),
)
def test_no_json_breaks_an_api(client: Direct, vendor: str, body: bytes) -> None:
    """Every odd body is refused in the vendor's words."""
    answer = client.call("POST", PATHS[vendor], body, BEARER[vendor])
    assert answer.status_code in (200, 202) or (400 <= answer.status_code < 500 and answer.json()["errors"])


@settings(max_examples=300, deadline=None)
@given(fields=FORMS)
def test_no_form_breaks_an_api(client: Direct, fields: dict[str, str]) -> None:
    """Every odd field is refused with a code of Twilio's."""
    body = "&".join(f"{name}={quote(value, safe='')}" for name, value in fields.items())
    answer = client.call("POST", PATH, body.encode(), AUTH)
    assert answer.status_code == 201 or (answer.status_code == 400 and answer.json()["code"])


@settings(max_examples=200, deadline=None)
@given(body=st.binary(max_size=60), query=st.text(max_size=20))
def test_no_bytes_break_an_api(client: Direct, body: bytes, query: str) -> None:
    """Neither as a form, nor in a query, nor in a control request."""
    assert client.call("POST", PATH, body, AUTH).status_code == 400
    listed = client.call("GET", f"{PATH}?PageToken={quote(query)}&DateSent={quote(query)}", headers=AUTH)
    assert listed.status_code in (200, 400)
    assert client.call("PUT", "/control/faults", body).status_code == 400
    assert client.call("POST", "/control/inbound", body).status_code == 400


@pytest.mark.parametrize("depth", [100, 100_000])
def test_no_nesting_breaks_an_api(client: Direct, depth: int) -> None:
    """Not even one that exhausts the stack."""
    body = b'{"custom_args":' + b"[" * depth + b"]" * depth + b"}"
    assert client.call("POST", PATHS["sendgrid"], body, BEARER["sendgrid"]).status_code == 400


@pytest.mark.parametrize(
    "path", ["/twilio/nothing", "/sendgrid/v3/nothing", "/telnyx/v2/nothing", "/nothing"]
)
def test_an_unknown_path_is_a_404_in_json(client: Direct, path: str) -> None:
    """In the words of the vendor whose path it is."""
    answer = client.call("GET", path)
    assert answer.status_code == 404
    assert answer.json()


def test_a_wrong_method_is_405(client: Direct) -> None:
    """Also in JSON."""
    for path in (PATH, *PATHS.values()):
        answer = client.call("PUT", path)
        assert answer.status_code == 405
        assert answer.json()


@pytest.mark.parametrize("given", ["", "Basic", "Basic %%%", "Bearer", "Basic Og==", "\xff"])
def test_no_authorization_header_breaks_an_api(client: Direct, given: str) -> None:
    """It is 401, whatever it says."""
    for path in (PATH, *PATHS.values()):
        assert client.call("POST", path, headers={"Authorization": given}).status_code == 401


async def test_a_body_beyond_twilios_limit_is_413(sim: Stage) -> None:
    """It is not read to its end."""
    async with (
        ClientSession() as http,
        http.post(sim.url + PATH, data=b"a" * 1_000_001, headers=AUTH) as answer,
    ):
        assert (answer.status, (await answer.json())["status"]) == (413, 413)
