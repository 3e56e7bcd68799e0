"""The simulators' knobs on our own API, for those who try the service without a vendor's account."""

import aiohttp
import msgspec
from starlette.requests import Request

from parley.api.operation import Answer
from parley.api.problems import HttpProblem
from parley.api.schemas import Accepted, MockConfig, MockInbound
from parley.core.errors import Invalid
from parley.core.message import CHANNELS

_KNOBS = ("timeout_pct", "error_pct", "ratelimit_pct", "seed")
_SECONDS = aiohttp.ClientTimeout(total=20)


class Mock:
    """/api/provider/mock/…"""

    def __init__(self, http: aiohttp.ClientSession, simulator_url: str) -> None:
        self._http = http
        self._url = simulator_url

    async def config(self, request: Request) -> MockConfig:
        """What part of their requests the simulators answer badly."""
        return msgspec.convert(await self._ask("GET", "/control/faults"), MockConfig)

    async def configure(self, request: Request, body: MockConfig) -> MockConfig:
        """Change it, from the next request on."""
        changes = {knob: value for knob in _KNOBS if (value := getattr(body, knob)) is not None}
        current = await self._ask("GET", "/control/faults")
        return msgspec.convert(await self._ask("PUT", "/control/faults", {**current, **changes}), MockConfig)

    async def inbound(self, request: Request, body: MockInbound) -> Answer:
        """Have a simulated provider deliver a message to our webhook, and pass on what that answered."""
        if body.channel.strip().lower() not in CHANNELS:
            raise Invalid.field("channel", f"is {body.channel[:40]!r}, but takes sms, mms or email")
        order = msgspec.to_builtins(body) | {
            "channel": body.channel.strip().lower(),
            "body": body.body or "",
            "attachments": body.attachments or [],
            "provider_message_id": body.messaging_provider_id or body.xillio_id,
            "target": "generic",
        }
        delivered = await self._ask("POST", "/control/inbound", order)
        answer = delivered.get("answer")
        if delivered.get("status") != 202 or not isinstance(answer, dict):
            raise _refused(delivered)
        return Answer(msgspec.convert(answer, Accepted), {})

    async def _ask(self, method: str, path: str, body: object = None) -> "dict[str, object]":
        try:
            async with self._http.request(method, self._url + path, json=body, timeout=_SECONDS) as response:
                answer = msgspec.json.decode(await response.read())
                if response.status == 400:
                    raise Invalid(str(answer.get("message", "the simulators refused this")))
                return dict(answer)
        except (aiohttp.ClientError, TimeoutError, msgspec.DecodeError):
            raise HttpProblem(503, "the simulators cannot be reached") from None


def _refused(delivered: "dict[str, object]") -> Invalid | HttpProblem:
    """What our own webhook said is what the caller is told."""
    answer = delivered.get("answer")
    said = str(answer.get("message")) if isinstance(answer, dict) else "no answer"
    if delivered.get("status") in (400, 413):
        return Invalid(f"the webhook refused the message: {said}")
    return HttpProblem(503, f"the webhook did not take the message: {said}")
