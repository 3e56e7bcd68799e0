"""All simulated vendors as one application; the routes are the table of contents."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from aiohttp import ClientSession, ClientTimeout, TCPConnector
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from parley.simulators.config import Simulation
from parley.simulators.control import Control
from parley.simulators.door import Act, Door
from parley.simulators.sendgrid import errors as sendgrid_errors
from parley.simulators.sendgrid.api import SendGrid
from parley.simulators.sendgrid.errors import SENDGRID
from parley.simulators.telnyx import errors as telnyx_errors
from parley.simulators.telnyx.api import Telnyx
from parley.simulators.telnyx.errors import TELNYX
from parley.simulators.twilio import errors as twilio_errors
from parley.simulators.twilio.api import Twilio
from parley.simulators.twilio.errors import TWILIO
from parley.simulators.wire import Answer, as_json
from parley.simulators.world import World

_MESSAGES = "/twilio/2010-04-01/Accounts/{account}/Messages"


def build(config: Simulation) -> Starlette:
    """Make the application of one simulation; its state is `app.state.world`."""
    world = World(config)
    routes = [*_twilio(world), *_sendgrid(world), *_telnyx(world), *_control(world)]
    app = Starlette(routes=routes, lifespan=_lifespan, exception_handlers={HTTPException: _nothing_there})
    app.state.world = world
    return app


def _twilio(world: World) -> list[Route]:
    twilio = Twilio(world)

    def door(**acts: Act) -> Door:
        return Door(world, TWILIO, **acts)

    return [
        Route(_MESSAGES + ".json", door(POST=Act(twilio.create, hands_over=True), GET=Act(twilio.list))),
        Route(
            _MESSAGES + "/{sid}.json",
            door(GET=Act(twilio.fetch), POST=Act(twilio.update), DELETE=Act(twilio.delete)),
        ),
        Route(_MESSAGES + "/{sid}/Media.json", door(GET=Act(twilio.list_media))),
        Route(_MESSAGES + "/{sid}/Media/{medium}.json", door(GET=Act(twilio.fetch_medium))),
        Route(_MESSAGES + "/{sid}/Media/{medium}", door(GET=Act(twilio.redirect_medium))),
        Route("/twilio/content/{sid}/{medium}", door(GET=Act(twilio.content))),
    ]


def _sendgrid(world: World) -> list[Route]:
    sendgrid = SendGrid(world)
    return [
        Route("/sendgrid/v3/mail/send", Door(world, SENDGRID, POST=Act(sendgrid.send, hands_over=True))),
        Route(
            "/sendgrid/v3/user/webhooks/event/settings/signed",
            Door(world, SENDGRID, GET=Act(sendgrid.public_key)),
        ),
    ]


def _telnyx(world: World) -> list[Route]:
    telnyx = Telnyx(world)
    return [
        Route("/telnyx/v2/messages", Door(world, TELNYX, POST=Act(telnyx.create, hands_over=True))),
        Route("/telnyx/v2/messages/{id}", Door(world, TELNYX, GET=Act(telnyx.fetch))),
    ]


def _control(world: World) -> list[Route]:
    control = Control(world)
    return [
        Route("/control/faults", control.read_faults, methods=["GET"]),
        Route("/control/faults", control.replace_faults, methods=["PUT"]),
        Route("/control/ledger", control.read_ledger, methods=["GET"]),
        Route("/control/ledger", control.reset, methods=["DELETE"]),
        Route("/control/ledger/summary", control.summary, methods=["GET"]),
        Route("/control/inbound", control.inbound, methods=["POST"]),
    ]


@contextlib.asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    world: World = app.state.world
    timeout = ClientTimeout(total=world.config.callback_timeout_secs)
    async with ClientSession(connector=TCPConnector(limit=0), timeout=timeout) as session:
        app.state.session = session
        posting = asyncio.create_task(world.postbox.run(session))
        try:
            yield
        finally:
            posting.cancel()
            await asyncio.gather(posting, return_exceptions=True)


async def _nothing_there(request: Request, error: Exception) -> Response:
    """A wrong path or method, in the words of the vendor whose path it is."""
    status = error.status_code if isinstance(error, HTTPException) else 404
    answer = _worded(request.url.path, status)
    return Response(answer.body, answer.status, media_type="application/json")


def _worded(path: str, status: int) -> Answer:
    if path.startswith("/twilio"):
        return twilio_errors.not_found(path)
    if path.startswith("/sendgrid"):
        return sendgrid_errors.error(status, "not found")
    if path.startswith("/telnyx"):
        return telnyx_errors.NOT_FOUND
    return as_json(status, {"code": "not_found", "message": "There is nothing at this path", "details": []})
