"""Where there is nothing to show, the page says so, and what to do."""

from typing import Any

from starlette.types import ASGIApp

from parley.runtime import application
from parley.settings import Settings
from parley.simulated import with_simulators


async def test_a_database_that_is_away_is_told_as_a_page(free_port: int) -> None:
    """A person gets a sentence and a browser the time to come again, instead of JSON."""
    url = f"postgresql://nobody@127.0.0.1:{free_port}/nothing"
    settings = with_simulators(Settings(database_url=url, log_level="error", simulators=True))
    async with application(settings) as app:
        for path in ("/", "/c/1", "/operations", "/new"):
            status, headers, body = await _get(app, path)
            assert status == 503
            assert headers["content-type"].startswith("text/html")
            assert headers["retry-after"] == "2"
            assert "One moment" in body


async def test_pages_that_need_no_database_are_there_without_it(free_port: int) -> None:
    """The reference and the files."""
    url = f"postgresql://nobody@127.0.0.1:{free_port}/nothing"
    settings = with_simulators(Settings(database_url=url, log_level="error", simulators=True))
    async with application(settings) as app:
        assert (await _get(app, "/docs"))[0] == 200
        assert (await _get(app, "/static/parley.css"))[0] == 200


async def test_an_empty_inbox_teaches(settings: Settings) -> None:
    """The very commands that would fill it, and nothing that pretends to be there."""
    async with application(settings) as app:
        status, _, body = await _get(app, "/")
        assert status == 200
        assert "No conversations yet" in body
        assert f"curl {settings.url}/api/messages/sms" in body
        assert f"curl {settings.url}/api/provider/mock/inbound" in body
        assert "<title>Parley</title>" in body


async def _get(app: ASGIApp, path: str) -> tuple[int, dict[str, str], str]:
    """One request without a network."""
    said: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        said.append(message)

    scope: dict[str, Any] = {
        "type": "http", "http_version": "1.1", "method": "GET", "scheme": "http", "path": path,
        "raw_path": path.encode(), "query_string": b"", "root_path": "", "headers": [(b"host", b"localhost")],
        "client": ("127.0.0.1", 1), "server": ("localhost", 80),
    }  # fmt: skip
    await app(scope, receive, send)
    headers = {name.decode(): value.decode() for name, value in said[0]["headers"]}
    return said[0]["status"], headers, b"".join(part.get("body", b"") for part in said[1:]).decode()
