"""The OpenAPI document, made from the operations that serve the requests."""

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from parley import __version__
from parley.api.operation import Operation
from parley.api.schemas import Problem

_REASONS = {
    400: "The request breaks a rule; `details` names the fields",
    401: "The signature does not hold",
    404: "There is no such thing",
    406: "Only application/json is answered here",
    408: "The body took too long to arrive",
    409: "The Idempotency-Key came with another body before, or the state does not allow this",
    413: "The body is too large",
    415: "Only application/json is taken here",
    422: "The request breaks a rule; `details` names the fields",
    429: "Too many requests; see Retry-After",
    503: "Not now; see Retry-After",
}
_PARAMETER = re.compile(r"\{(\w+)(?::\w+)?\}")
_IDEMPOTENCY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "The same key and body gives the first answer again; with another body 409",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]([ -~]*[!-~])?$"},
}


def document(operations: Sequence[Operation], url: str) -> dict[str, Any]:
    """Describe the operations."""
    kinds = [kind for op in operations for kind in (op.body, op.query, op.answer) if _is_declared(kind)]
    described, components = msgspec.json.schema_components(
        [*kinds, Problem], ref_template="#/components/schemas/{name}"
    )
    schemas = dict(zip(kinds, described, strict=False))
    paths: dict[str, Any] = {}
    for op in operations:
        paths.setdefault(_PARAMETER.sub(r"{\1}", op.path), {})[op.method.lower()] = _describe(
            op, schemas, components
        )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Parley",
            "version": __version__,
            "description": "One API for SMS, MMS and email conversations.",
        },
        "servers": [{"url": url}],
        "paths": paths,
        "components": {"schemas": components},
    }


def _is_declared(kind: Any) -> bool:
    return kind is not None and kind is not dict and kind is not str


def _describe(op: Operation, schemas: dict[Any, Any], components: dict[str, Any]) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": _PARAMETER.sub(r"by_\1", f"{op.method.lower()}{op.path}").replace("/", "_"),
        "summary": op.summary,
        "tags": [op.tag],
        "parameters": _parameters(op, schemas, components),
        "responses": _responses(op, schemas),
    }
    if op.body is not None:
        content = {"application/json": {"schema": schemas[op.body]}}
        described["requestBody"] = {"required": True, "content": content}
    if op.deprecated:
        described["deprecated"] = True
    return described


def _parameters(op: Operation, schemas: dict[Any, Any], components: dict[str, Any]) -> list[dict[str, Any]]:
    found = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in _PARAMETER.findall(op.path)
    ]
    if op.query is not None:
        schema = components[schemas[op.query]["$ref"].rpartition("/")[2]]
        required = schema.get("required", [])
        found += [
            {"name": name, "in": "query", "required": name in required, "schema": field}
            for name, field in schema["properties"].items()
        ]
    if 409 in op.errors and op.body is not None:
        found.append(_IDEMPOTENCY)
    return found


def _responses(op: Operation, schemas: dict[Any, Any]) -> dict[str, Any]:
    success: dict[str, Any] = {"description": "Done"}
    if _is_declared(op.answer):
        success["content"] = {"application/json": {"schema": schemas[op.answer]}}
    elif op.answer is dict:
        success["content"] = {"application/json": {"schema": {"type": "object"}}}
    problem = {"application/json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    responses = {str(op.status): success}
    for status in sorted({*op.errors, *_implied(op)}):
        responses[str(status)] = {"description": _REASONS[status], "content": problem}
    return responses


def _implied(op: Operation) -> set[int]:
    """What any operation of this kind may answer."""
    implied = set() if op.any_accept else {406}
    implied |= {429} if op.limited else set()
    implied |= {op.invalid} if op.body is not None or op.query is not None else set()
    # Not being JSON at all, or cut short, is a 400 wherever a broken rule is something else.
    implied |= {400, 408, 413, 415} if op.body is not None else set()
    return implied
