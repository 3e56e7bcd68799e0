"""The composition root: opens what a process needs, wires it together, closes it in the opposite order."""

import gc
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import aiohttp
import uvicorn
import uvloop
from starlette.types import ASGIApp

from parley import logs
from parley.api.cork import CorkedProtocol
from parley.api.app import build
from parley.api.client import proxies
from parley.api.health import Vitals
from parley.api.legacy import Legacy
from parley.api.limits import Limits
from parley.api.mock import Mock
from parley.api.reads import Reads
from parley.api.routes import Resources, operations
from parley.api.sends import Sends
from parley.api.webhooks import Webhooks
from parley.core.message import Draft, Report, Stored
from parley.db.batcher import Batcher
from parley.db.bell import Bell
from parley.db.pool import Database, open_database
from parley.messages.send import Rules
from parley.messages.writer import message_batcher
from parley.settings import Settings
from parley.providers import registry as providers
from parley.webhooks.intake import Intake
from parley.webhooks.raw import raw_batcher

_DRAIN_SECONDS = 4


def serve(settings: Settings, sock: socket.socket) -> None:
    """Serve HTTP on a listening socket until told to stop."""
    logs.configure(settings.log_level)
    _calm_collector()
    uvloop.run(_serve(settings, sock))


def _calm_collector() -> None:
    """A request leaves hardly a cycle behind, but every request's objects bring the next collection nearer.

    With Python's thresholds a sixth of a busy process's time goes into collections that find nothing.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


async def _serve(settings: Settings, sock: socket.socket) -> None:
    async with application(settings) as app:
        config = uvicorn.Config(
            app,
            http=CorkedProtocol,
            loop="none",
            lifespan="off",
            access_log=False,
            log_config=None,
            server_header=False,
            proxy_headers=False,
            backlog=2048,
            timeout_keep_alive=30,
            timeout_graceful_shutdown=_DRAIN_SECONDS,
        )
        await uvicorn.Server(config).serve(sockets=[sock])


@asynccontextmanager
async def application(settings: Settings) -> AsyncIterator[ASGIApp]:
    """The HTTP application with everything it stands on."""
    async with AsyncExitStack() as stack:
        db = await stack.enter_async_context(
            open_database(settings.database_url, settings.database_pool, "parley serve")
        )
        http = await stack.enter_async_context(aiohttp.ClientSession())
        bell = Bell(db)
        stack.push_async_callback(bell.close)
        messages = message_batcher(db, bell)
        stack.push_async_callback(messages.close)
        intake = await stack.enter_async_context(_intake(settings, db, bell, messages))
        yield _application(settings, db, messages, intake, http)


@asynccontextmanager
async def _intake(
    settings: Settings, db: Database, bell: Bell, messages: Batcher[Draft, Stored]
) -> AsyncIterator[Intake]:
    """The way in for webhooks, with the group commits behind it."""
    statuses, raw = status_batcher(db, bell), raw_batcher(db)
    try:
        yield Intake(messages, statuses, raw, _rules(settings))
    finally:
        await statuses.close()
        await raw.close()


def _application(
    settings: Settings,
    db: Database,
    messages: Batcher[Draft, Stored],
    intake: Intake,
    http: aiohttp.ClientSession,
) -> ASGIApp:
    limits = Limits(db, settings.rate_limit_per_ip_per_min, settings.rate_limit_per_sender_per_min)
    sends = Sends(messages, _rules(settings), limits)
    length = settings.conversation_snippet_length
    vendors = providers.build(settings, http).by_name
    resources = Resources(
        sends=sends,
        webhooks=Webhooks(
            intake, vendors, settings.url, settings.max_body_bytes, settings.vendor_max_body_bytes
        ),
        reads=Reads(db, length),
        vitals=Vitals(db, _nobody),
        legacy=Legacy(sends, db, settings.default_email_from, length),
        mock=Mock(http, settings.simulator_url) if settings.simulators else None,
        health_path=settings.health_path,
    )
    return build(
        operations(resources),
        [],
        url=settings.url,
        limits=limits,
        max_body_bytes=settings.max_body_bytes,
        proxies=proxies(settings.trusted_proxies),
    )


def _rules(settings: Settings) -> Rules:
    return Rules(settings.default_region, settings.conversation_grouping, settings.max_attachments)


async def _nobody(db: Database) -> bool:
    return True


def status_batcher(db: Database, bell: Bell) -> Batcher[Report, None]:
    async def write(reports: Sequence[Report]) -> list[Exception | None]:
        return [None for _ in reports]

    return Batcher(write)
