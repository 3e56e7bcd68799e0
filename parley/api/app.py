"""Puts the operations, the pages and the frame together into one ASGI application."""

from collections.abc import Sequence

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, Router
from starlette.types import ASGIApp

from parley.api.client import Proxies
from parley.api.frame import Frame
from parley.api.limits import Limits
from parley.api.openapi import document
from parley.api.operation import Operation, routes


def build(
    operations: Sequence[Operation],
    pages: Sequence[BaseRoute],
    *,
    url: str,
    limits: Limits,
    max_body_bytes: int,
    proxies: Proxies,
) -> ASGIApp:
    """The whole application."""
    described = msgspec.json.encode(document(operations, url))

    async def openapi(request: Request) -> Response:
        return Response(described, media_type="application/json")

    router = Router(
        [
            *routes(operations, max_body_bytes, limits.admit),
            Route("/openapi.json", openapi),
            *pages,
        ],
        redirect_slashes=False,
    )
    return Frame(router, proxies)
