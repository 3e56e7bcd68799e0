"""`parley check`: what is configured, what of it can be reached, and whether it is current."""

import asyncio
from typing import NamedTuple

import aiohttp
import asyncpg

from parley.db.embedded import Server
from parley.db.errors import EmbeddedError
from parley.db.migrate import MISSING, names
from parley.db.version import UnfitDatabaseError, reach
from parley.providers.registry import build
from parley.settings import Settings, SettingsError
from parley.simulated import with_simulators

_TIMEOUT = aiohttp.ClientTimeout(total=5)


class Finding(NamedTuple):
    """One row of the table."""

    what: str
    where: str
    fine: bool
    says: str


async def check(settings: Settings) -> list[Finding]:
    """Look at everything, and start nothing."""
    played = with_simulators(settings)
    async with aiohttp.ClientSession(timeout=_TIMEOUT) as http:
        carriers = dict.fromkeys((*played.sms_providers, *played.email_providers))
        rows = await asyncio.gather(
            _service(settings, http), *(_reached(name, played, http) for name in carriers)
        )
        return [*await _database(settings), _configured(played, http), *rows]


async def _database(settings: Settings) -> list[Finding]:
    where = "DATABASE_URL" if settings.database_url else f"embedded in {settings.data_dir}"
    try:
        url = settings.database_url or await _embedded(settings)
        found = Finding("database", where, True, f"PostgreSQL {await reach(url)}")
        return [found, await _schema(url)]
    except (UnfitDatabaseError, EmbeddedError, SettingsError) as error:
        return [Finding("database", where, False, str(error))]


async def _embedded(settings: Settings) -> str:
    if settings.data_dir.joinpath("postgres").exists():
        server = Server(settings.data_dir)
        if await server.answers():
            return server.url
    raise EmbeddedError("does not run; `parley up` starts it")


async def _schema(url: str) -> Finding:
    connection = await asyncpg.connect(url)
    try:
        missing = [row["name"] for row in await connection.fetch(MISSING, names())]
    except asyncpg.UndefinedTableError:
        missing = names()
    finally:
        await connection.close()
    says = f"lacks {', '.join(missing)}; `parley migrate` adds them" if missing else "current"
    return Finding("schema", names()[-1], not missing, says)


async def _service(settings: Settings, http: aiohttp.ClientSession) -> Finding:
    try:
        async with http.get(f"{settings.local_url}/readyz") as answer:
            said = await answer.text()
            return Finding("service", settings.url, answer.status == 200, "ready" if answer.ok else said)
    except (aiohttp.ClientError, TimeoutError):
        return Finding("service", settings.url, False, "does not answer; `parley up` starts it")


def _configured(played: Settings, http: aiohttp.ClientSession) -> Finding:
    order = f"{', '.join(played.sms_providers)}; {', '.join(played.email_providers)}"
    try:
        build(played, http)
    except SettingsError as error:
        return Finding("providers", order, False, str(error))
    return Finding("providers", order, True, "simulated" if played.simulators else "configured")


async def _reached(name: str, played: Settings, http: aiohttp.ClientSession) -> Finding:
    """Whether anybody answers at a provider's address; what they answer without a request is of no interest."""
    where = (
        f"{played.smtp_host}:{played.smtp_port}"
        if name == "smtp"
        else getattr(played, f"{name}_base_url", "")
    )
    try:
        if name == "smtp":
            _, writer = await asyncio.wait_for(asyncio.open_connection(played.smtp_host, played.smtp_port), 5)
            writer.close()
        else:
            async with http.get(where):
                pass
    except (OSError, TimeoutError, aiohttp.ClientError):
        return Finding(name, where, False, "cannot be reached")
    return Finding(name, where, True, "reachable")
