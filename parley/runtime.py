"""The composition root: opens what a process needs, wires it together, closes it in the opposite order."""

import asyncio
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import aiohttp
import uvloop
from starlette.types import ASGIApp

from parley import logs
from parley.api.app import build
from parley.api.client import proxies
from parley.api.deliveries import Deliveries
from parley.api.events import Events
from parley.api.health import Vitals
from parley.api.inbox import Inbox
from parley.api.legacy import Legacy
from parley.api.limits import Limits
from parley.api.mock import Mock
from parley.api.openapi import document
from parley.api.reads import Reads
from parley.api.routes import Resources, operations
from parley.api.sends import Sends
from parley.api.webhooks import Webhooks
from parley.conversations import index, state
from parley.conversations.search import Search
from parley.core.account import DEFAULT_ACCOUNT
from parley.core.message import Draft, Stored
from parley.db.batcher import Batcher
from parley.db.bell import Bell
from parley.db.pool import PLANNED_ONCE, Database, open_database
from parley.delivery import heartbeat, reports, worker
from parley.feed.follow import Follower
from parley.feed.hub import Hub, open_hub
from parley.messages import minutes
from parley.messages.send import Rules
from parley.messages.writer import message_batcher
from parley.providers import registry as providers
from parley.server import Server, calm_collector, open_files
from parley.settings import Settings
from parley.web import pages
from parley.webhooks import retention
from parley.webhooks.intake import Intake
from parley.webhooks.replay import Replayed
from parley.webhooks.replay import replay as again
from parley.webhooks.tidings import tidings_batcher


def serve(settings: Settings, sock: socket.socket) -> None:
    """Serve HTTP on a listening socket until told to stop."""
    logs.configure(settings.log_level)
    calm_collector()
    open_files()
    uvloop.run(_serve(settings, sock))


async def _serve(settings: Settings, sock: socket.socket) -> None:
    leaving = asyncio.Event()
    async with application(settings, leaving) as app:
        await Server(app, leaving).serve(sockets=[sock])


def work(settings: Settings) -> None:
    """Deliver, and clean up, until told to stop."""
    logs.configure(settings.log_level)
    calm_collector()
    uvloop.run(_work(settings))


async def _work(settings: Settings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        db = await stack.enter_async_context(
            open_database(settings.database_url, settings.database_pool, "parley work", PLANNED_ONCE)
        )
        # The worker bounds what is under way by itself; waiting for a connection would look like a vendor's silence.
        unbounded = aiohttp.TCPConnector(limit=0)
        http = await stack.enter_async_context(aiohttp.ClientSession(connector=unbounded))
        bell = Bell(db)
        stack.push_async_callback(bell.close)
        cleaning = asyncio.create_task(retention.run(settings, db))
        stack.callback(cleaning.cancel)
        await stack.enter_async_context(_following(settings))
        carriers = providers.build(settings, http)
        asking = asyncio.create_task(reports.run(db, bell, carriers.by_name, settings.report_wait_secs))
        stack.callback(asking.cancel)
        await worker.run(settings, db, settings.database_url, carriers, bell, stop)


@asynccontextmanager
async def _following(settings: Settings) -> AsyncIterator[None]:
    """Keep what is derived from the feed: words to find, failures, figures. On a connection of its own."""
    async with open_database(settings.database_url, 1, "parley follow", PLANNED_ONCE) as db:
        follower = Follower(db, "inbox", (index.digest, state.failures, minutes.digest))
        task = asyncio.create_task(follower.run(settings.database_url, partial(index.tidy, db)))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def replay(settings: Settings, *, dry_run: bool) -> list[Replayed]:
    """Run kept webhooks again that were not understood."""
    logs.configure(settings.log_level)
    return uvloop.run(_replay(settings, dry_run=dry_run))


async def _replay(settings: Settings, *, dry_run: bool) -> list[Replayed]:
    async with AsyncExitStack() as stack:
        db = await stack.enter_async_context(open_database(settings.database_url, 2, "parley replay"))
        http = await stack.enter_async_context(aiohttp.ClientSession())
        bell = Bell(db)
        stack.push_async_callback(bell.close)
        intake = await stack.enter_async_context(_intake(settings, db, bell, message_batcher(db, bell)))
        vendors = providers.build(settings, http).by_name
        return [replayed async for replayed in again(db, intake, vendors, dry_run=dry_run)]


@asynccontextmanager
async def application(settings: Settings, leaving: asyncio.Event | None = None) -> AsyncIterator[ASGIApp]:
    """The HTTP application with everything it stands on; it ends its streams when it is told to leave."""
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
        hub = await stack.enter_async_context(open_hub(db, settings.database_url, DEFAULT_ACCOUNT, leaving))
        yield _application(settings, db, bell, messages, intake, hub, http)


@asynccontextmanager
async def _intake(
    settings: Settings, db: Database, bell: Bell, messages: Batcher[Draft, Stored]
) -> AsyncIterator[Intake]:
    """The way in for webhooks, with the group commit behind it."""
    tidings = tidings_batcher(db, bell)
    try:
        yield Intake(messages, tidings, _rules(settings))
    finally:
        await tidings.close()


def _application(
    settings: Settings,
    db: Database,
    bell: Bell,
    messages: Batcher[Draft, Stored],
    intake: Intake,
    hub: Hub,
    http: aiohttp.ClientSession,
) -> ASGIApp:
    limits = Limits(db, settings.rate_limit_per_ip_per_min, settings.rate_limit_per_sender_per_min)
    sends = Sends(messages, _rules(settings), limits)
    length = settings.conversation_snippet_length
    vendors = providers.build(settings, http).by_name
    search = Search(db, length)
    resources = Resources(
        sends=sends,
        webhooks=Webhooks(
            intake, vendors, settings.url, settings.max_body_bytes, settings.vendor_max_body_bytes
        ),
        reads=Reads(db, length),
        deliveries=Deliveries(db, bell, list(vendors), length),
        inbox=Inbox(db, bell, search, length),
        events=Events(db, hub),
        vitals=Vitals(db, heartbeat.alive),
        legacy=Legacy(sends, db, settings.default_email_from, length),
        mock=Mock(http, settings.simulator_url) if settings.simulators else None,
        health_path=settings.health_path,
    )
    return _assembled(settings, db, bell, limits, search, resources, list(vendors))


def _assembled(
    settings: Settings,
    db: Database,
    bell: Bell,
    limits: Limits,
    search: Search,
    resources: Resources,
    vendors: list[str],
) -> ASGIApp:
    """The API's operations and the pages as one application."""
    table = operations(resources)
    return build(
        table,
        pages.routes(
            db,
            bell,
            resources.sends,
            resources.deliveries,
            limits,
            search,
            resources.mock,
            url=settings.url,
            providers=vendors,
            max_body_bytes=settings.max_body_bytes,
            document=document(table, settings.url),
        ),
        url=settings.url,
        limits=limits,
        max_body_bytes=settings.max_body_bytes,
        proxies=proxies(settings.trusted_proxies),
    )


def _rules(settings: Settings) -> Rules:
    return Rules(settings.default_region, settings.conversation_grouping, settings.max_attachments)
