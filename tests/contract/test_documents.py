"""What describes the service: health, the OpenAPI document, the pages."""

import re
from typing import Any

import pytest

from parley.db.pool import Database
from parley.settings import Settings
from tests.contract.client import Api
from tests.contract.inprocess import serving
from tests.contract.test_refusals import assert_refused

ROUTES = [
    ("post", "/api/messages/sms"), ("post", "/api/messages/email"), ("post", "/api/messages/send"),
    ("post", "/api/webhooks/sms"), ("post", "/api/webhooks/email"), ("get", "/api/conversations"),
    ("get", "/api/conversations/{id}"), ("get", "/api/conversations/{id}/messages"), ("get", "/api/messages/{id}"),
    ("post", "/api/provider/mock/inbound"), ("get", "/api/provider/mock/config"), ("put", "/api/provider/mock/config"),
    ("get", "/healthz"), ("get", "/health"), ("get", "/readyz"), ("get", "/metrics"),
    ("post", "/api/send_message"), ("post", "/api/send_email"),
    ("get", "/api/conversation/{id}/messages"), ("get", "/api/conversation/{id}/new_messages"),
]  # fmt: skip


@pytest.mark.parametrize("path", ["/healthz", "/health"])
async def test_a_process_that_is_up_says_so(api: Api, path: str) -> None:
    """200 and one word."""
    reply = await api.get(path)
    assert (reply.status, reply.json) == (200, {"status": "healthy"})


async def test_the_health_path_can_be_moved(settings: Settings) -> None:
    """HEALTH_PATH; the usual addresses stay."""
    async with serving(settings, health_path="/up/now") as api:
        for path in ("/up/now", "/healthz", "/health"):
            assert (await api.get(path)).json == {"status": "healthy"}


async def test_a_service_that_can_work_says_so(api: Api) -> None:
    """Database, migrations, worker."""
    reply = await api.get("/readyz")
    assert reply.status == 200
    assert reply.json == {"status": "ready", "database": True, "migrations": True, "worker": True}


async def test_what_is_missing_is_named(settings: Settings, db: Database) -> None:
    """503 in the shape of every error; a process that is up stays up."""
    async with serving(settings) as api:
        for change, lacking in (
            ("select", "worker"),
            ("delete from schema_migrations where name like '0002%'", "migrations"),
            ("drop table schema_migrations", "migrations"),
        ):
            await db.execute(change)
            reply = await api.get("/readyz")
            assert_refused(reply, 503, "unavailable")
            assert reply.fields == [lacking]
            assert reply.headers["Retry-After"]
            assert (await api.get("/healthz")).status == 200


async def test_the_document_describes_every_route(api: Api) -> None:
    """With a body where there is one, a shape for every answer, and the one error shape for every refusal."""
    document = (await api.get("/openapi.json")).json
    assert document["openapi"].startswith("3.1")
    for method, path in ROUTES:
        operation = document["paths"][path][method]
        assert operation["summary"]
        assert ("requestBody" in operation) == (method in ("post", "put"))
        for status, response in operation["responses"].items():
            if int(status) >= 400:
                schema = response["content"]["application/json"]["schema"]
                assert schema == {"$ref": "#/components/schemas/Problem"}
            elif path != "/metrics":
                assert response["content"]["application/json"]["schema"]


async def test_the_document_holds_together(api: Api) -> None:
    """Every reference leads somewhere, every operation has a name of its own."""
    reply = await api.get("/openapi.json")
    references = set(re.findall(r'"#/components/schemas/([^"]+)"', reply.body.decode()))
    assert references == references & reply.json["components"]["schemas"].keys()
    operations: list[Any] = [op for item in reply.json["paths"].values() for op in item.values()]
    names = [op["operationId"] for op in operations]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("path", ["/", "/docs"])
async def test_the_pages_load_nothing_from_outside(api: Api, path: str) -> None:
    """No CDN, no font, no script of somebody else: they work on a machine without a network."""
    reply = await api.get(path, Accept="text/html")
    assert reply.status == 200
    assert reply.headers["Content-Type"].startswith("text/html")
    page = reply.body.decode()
    loaded = re.findall(r"""<(?:script|link|img|iframe|source)\b[^>]*?(?:src|href)=["']?([^"'\s>]+)""", page)
    assert [address for address in loaded if re.match(r"(?:[a-z]+:)?//", address)] == []
    for address in loaded:
        if not address.startswith(("data:", "#")):
            assert (await api.get(address)).status == 200, address
