"""Puts the operations, the pages and the frame together into one ASGI application."""

from collections.abc import Sequence

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from parley.api.client import Proxies
from parley.api.frame import Frame
from parley.api.limits import Limits
from parley.api.openapi import document
from parley.api.operation import Operation, route
from parley.api.problems import on_crash, on_http_exception, on_parley_error
from parley.core.errors import ParleyError


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

    app = Starlette(
        routes=[
            *(route(operation, max_body_bytes, limits.admit) for operation in operations),
            Route("/openapi.json", openapi),
            *pages,
        ],
        exception_handlers={
            ParleyError: on_parley_error,
            HTTPException: on_http_exception,
            Exception: on_crash,
        },
    )
    app.router.redirect_slashes = False
    return Frame(app, proxies)
