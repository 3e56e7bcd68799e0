"""The commands: each reads the settings, calls one function, and turns what it refuses into one line."""

import asyncio
import contextlib
import socket
import sys
from collections.abc import Iterator
from typing import Annotated, NoReturn

import aiohttp
import asyncpg
import msgspec
import typer
import uvloop
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from parley import desk, logs, runtime
from parley.check import check as look
from parley.core.errors import ParleyError
from parley.db.embedded import Server
from parley.db.errors import EmbeddedError
from parley.db.migrate import migrate as apply
from parley.db.version import UnfitDatabaseError, reach
from parley.demo import fill
from parley.server import calm_collector
from parley.settings import Settings, SettingsError, load
from parley.simulated import simulation, smtp_port, with_simulators
from parley.simulators.run import serve as play
from parley.sockets import listeners
from parley.up import up as run

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="One HTTP API for SMS, MMS and email conversations, on PostgreSQL.",
)

Descriptor = Annotated[int | None, typer.Option("--fd", hidden=True, help="An inherited listening socket.")]
MailDescriptor = Annotated[int | None, typer.Option("--mail-fd", hidden=True, help="Another one, for mail.")]


@app.command()
def up() -> None:
    """Run everything: database, provider simulators, worker and web processes."""
    with contextlib.suppress(asyncio.CancelledError):
        asyncio.run(run(load()))


@app.command()
def serve(fd: Descriptor = None) -> None:
    """Run one web process."""
    settings = _with_asked_simulators(load())
    opened = _inherited(fd) or listeners(settings.host, settings.port, 1)[0]
    with _database(settings) as found:
        runtime.serve(found, opened)


@app.command()
def work() -> None:
    """Run one delivery worker."""
    with _database(_with_asked_simulators(load())) as found:
        runtime.work(found)


@app.command()
def simulate(fd: Descriptor = None, mail_fd: MailDescriptor = None) -> None:
    """Run the simulated vendors: Twilio, Telnyx, SendGrid and a mail server."""
    settings = load()
    logs.configure(settings.log_level)
    web, mail = _inherited(fd) or settings.simulator_port, _inherited(mail_fd) or smtp_port(settings)
    calm_collector()
    uvloop.run(play(web, simulation(settings), mail))


@app.command()
def migrate() -> None:
    """Bring the database to this version's schema."""
    with _database(load()) as found:
        asyncio.run(reach(found.database_url))
        applied = asyncio.run(apply(found.database_url))
    typer.echo("\n".join(f"applied {name}" for name in applied) or "the database is current")


@app.command()
def demo(
    url: Annotated[str, typer.Option(help="The service to fill; by default the one of the settings.")] = "",
) -> None:
    """Fill the running service with weeks of believable conversations."""
    url = url or load().url
    try:
        counted = asyncio.run(fill(url))
    except aiohttp.ClientConnectionError:
        _refuse(f"nobody answers at {url}; `parley up` starts the service", code=1)
    typer.echo(", ".join(f"{count} {outcome}" for outcome, count in sorted(counted.items())))


@app.command()
def check() -> None:
    """Show what is configured, whether it can be reached, and whether it is current."""
    table = Table(box=None, show_header=False)
    findings = asyncio.run(look(load()))
    for finding in findings:
        mark = "[green]✓[/]" if finding.fine else "[red]✗[/]"
        table.add_row(mark, finding.what, escape(finding.where), escape(finding.says))
    Console().print(table)
    raise typer.Exit(0 if all(finding.fine for finding in findings) else 1)


MessageId = Annotated[str, typer.Argument(help="The id of a message.")]


@app.command()
def message(id: MessageId) -> None:
    """Show a message with every attempt to deliver it."""
    with _database(load()) as found:
        desk.message(found, id)


@app.command()
def dead_letters() -> None:
    """List the messages that were given up."""
    with _database(load()) as found:
        desk.dead_letters(found)


@app.command()
def retry(
    ids: Annotated[list[str] | None, typer.Argument(help="The ids of failed messages.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every dead letter.")] = False,
) -> None:
    """Have failed messages tried again."""
    with _database(load()) as found:
        desk.retry(found, ids or [], everything=everything)


@app.command()
def cancel(id: MessageId) -> None:
    """Take a message out of the queue, unless it has left it."""
    with _database(load()) as found:
        desk.cancel(found, id)


@app.command()
def providers() -> None:
    """Show the providers' breakers, the queues and the workers."""
    with _database(load()) as found:
        desk.providers(found)


@app.command()
def replay(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only look; store nothing.")] = False,
) -> None:
    """Run webhooks again that were kept because they were not understood."""
    with _database(with_simulators(load())) as found:
        desk.replayed(runtime.replay(found, dry_run=dry_run), dry_run=dry_run)


def _inherited(fd: int | None) -> socket.socket | None:
    """The listening socket that the process which started us has opened."""
    return socket.socket(fileno=fd) if fd is not None else None


def _with_asked_simulators(settings: Settings) -> Settings:
    """SIMULATORS=on is enough for a process that is started by itself, too."""
    return with_simulators(settings) if settings.simulators else settings


@contextlib.contextmanager
def _database(settings: Settings) -> Iterator[Settings]:
    """Fill in the embedded database's address where none is configured; start it if it does not run."""
    if settings.database_url:
        yield settings
        return
    server = Server(settings.data_dir)
    try:
        asyncio.run(server.start())
        yield msgspec.structs.replace(settings, database_url=server.url)
    finally:
        if server.launched:
            asyncio.run(server.stop())


def main() -> None:
    """Run the command line; what the operator can mend is one line without a traceback."""
    try:
        app()
    except SettingsError as error:
        _refuse(str(error), code=2)
    except (asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError, asyncpg.UndefinedFunctionError):
        _refuse("the database's schema is not this version's; bring it there with `parley migrate`", code=1)
    except (EmbeddedError, UnfitDatabaseError, ParleyError) as error:
        _refuse(str(error), code=1)


def _refuse(reason: str, code: int) -> NoReturn:
    typer.echo(f"parley: {reason}", err=True)
    sys.exit(code)
