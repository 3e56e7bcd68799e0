"""The API's reference as a page, made from the same document that programs read."""

import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from parley.web.curl import command

_PATH = re.compile(r"\{(\w+)\}")
_SAMPLES: dict[str, tuple[object, object]] = {
    # How a phone's and how a mailbox's message would be filled in.
    "from": ("+18045551234", "ann@example.com"),
    "to": ("+12016661234", "office@example.com"),
    "to_email": ("", "ann@example.com"),
    "channel": ("sms", "email"),
    "type": ("sms", "email"),
    "body": ("Hello, how can I help?", "Hello, how can I help?"),
    "subject": ("Your visit", "Your visit"),
    "messaging_provider_id": ("message-1", "message-1"),
    "xillio_id": ("message-2", "message-2"),
    "error_pct": (20, 20),
    "since": ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
    "q": ("invoice", "invoice"),
}
_ORDER = ("Send", "Receive", "Read", "Inbox", "Deliver", "Simulate", "Operate", "Earlier addresses")
_OPTIONAL = {"body", "messaging_provider_id", "xillio_id", "error_pct"}


class Field(msgspec.Struct, frozen=True):
    """A parameter or a field of an object; `refers` names the declaration that says more."""

    name: str
    kind: str
    refers: str
    required: bool
    about: str
    place: str = ""


class Outcome(msgspec.Struct, frozen=True):
    """A status and what it means."""

    status: str
    about: str
    refers: str


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One operation."""

    id: str
    method: str
    path: str
    summary: str
    deprecated: bool
    parameters: list[Field]
    body: str
    body_about: str
    fields: list[Field]
    outcomes: list[Outcome]
    curl: str


class Group(msgspec.Struct, frozen=True):
    """Operations that belong together."""

    name: str
    id: str
    entries: list[Entry]


class Schema(msgspec.Struct, frozen=True):
    """A declared object."""

    name: str
    id: str
    about: str
    fields: list[Field]


class Reference(msgspec.Struct, frozen=True):
    """The whole document, ready to be shown."""

    title: str
    version: str
    about: str
    url: str
    groups: list[Group]
    schemas: list[Schema]


def reference(document: dict[str, Any]) -> Reference:
    """Make an OpenAPI document a page's content."""
    schemas, url = document["components"]["schemas"], document["servers"][0]["url"]
    groups: dict[str, list[Entry]] = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            groups.setdefault(operation["tags"][0], []).append(_entry(url, path, method, operation, schemas))
    shown = set(_reachable(document["paths"], schemas))
    return Reference(
        title=document["info"]["title"],
        version=document["info"]["version"],
        about=document["info"]["description"],
        url=url,
        groups=[Group(name, slug(name), groups[name]) for name in sorted(groups, key=_rank)],
        schemas=[_schema(name, schemas[name]) for name in sorted(schemas) if name in shown],
    )


def _rank(group: str) -> int:
    return _ORDER.index(group) if group in _ORDER else len(_ORDER)


def _entry(url: str, path: str, method: str, operation: dict[str, Any], schemas: dict[str, Any]) -> Entry:
    body = _body(operation)
    declared = schemas.get(body, {})
    parameters = [
        _field(one["name"], one["schema"], required=bool(one.get("required")), place=one["in"], about=one)
        for one in operation.get("parameters", [])
    ]
    return Entry(
        id=slug(f"{method} {path}"),
        method=method.upper(),
        path=path,
        summary=operation["summary"],
        deprecated=bool(operation.get("deprecated")),
        parameters=parameters,
        body=body,
        body_about=declared.get("description", ""),
        fields=_fields(declared),
        outcomes=[_outcome(status, one) for status, one in operation["responses"].items()],
        curl=_curl(url, path, method, parameters, declared),
    )


def _body(operation: dict[str, Any]) -> str:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    return _name(content.get("schema", {}))


def _outcome(status: str, response: dict[str, Any]) -> Outcome:
    schema = response.get("content", {}).get("application/json", {}).get("schema", {})
    return Outcome(status, response["description"], _name(schema))


def _curl(url: str, path: str, method: str, parameters: list[Field], declared: dict[str, Any]) -> str:
    """A command that works as it stands, wherever the address names no message."""
    email = "email" in path
    filled = _PATH.sub(lambda match: "1" if "conversation" in path else f"{{{match[1]}}}", path)
    query = [
        f"{one.name}={_SAMPLES[one.name][email]}"
        for one in parameters
        if one.place == "query" and one.required
    ]
    address = url + filled + ("?" + "&".join(query) if query else "")
    if not declared:
        return command(address, method=method.upper())
    names = [n for n in declared["properties"] if n in declared.get("required", []) or n in _OPTIONAL]
    body = {name: _SAMPLES[name][email] for name in names if name in _SAMPLES}
    if "webhooks" not in path and "inbound" not in path and {"from", "to"} <= body.keys():
        body["from"], body["to"] = body["to"], body["from"]
    if "inbound" in path:
        body = {name: value for name, value in body.items() if not name.endswith("_id")}
    return command(address, body, method.upper())


def _schema(name: str, schema: dict[str, Any]) -> Schema:
    return Schema(name, "schema-" + slug(name), schema.get("description", ""), _fields(schema))


def _fields(schema: dict[str, Any]) -> list[Field]:
    required = schema.get("required", [])
    return [
        _field(name, one, required=name in required) for name, one in schema.get("properties", {}).items()
    ]


def _field(
    name: str, schema: dict[str, Any], *, required: bool, place: str = "", about: dict[str, Any] | None = None
) -> Field:
    described = {**schema, **(about or {})}.get("description", "")
    bounds = _bounds(schema)
    text = "; ".join(part for part in (described, bounds) if part)
    return Field(name, _kind(schema), _name(schema), required, text, place)


def _bounds(schema: dict[str, Any]) -> str:
    parts = [_bounds(one) for one in schema.get("anyOf", [])]
    if "minimum" in schema:
        top = f" to {schema['maximum']:g}" if "maximum" in schema else " or more"
        parts.append(f"{schema['minimum']:g}{top}")
    if schema.get("default") is not None:
        parts.append(f"default `{schema['default']}`")
    return "; ".join(part for part in parts if part)


def _kind(schema: dict[str, Any]) -> str:
    """The type in words."""
    if "$ref" in schema:
        return "object"
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_kind(one) for one in schema["anyOf"]))
    if "enum" in schema:
        return " or ".join(f"“{one}”" for one in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}s"
    kind = str(schema.get("type", "any"))
    return f"{kind} ({schema['format']})" if "format" in schema else kind


def _name(schema: dict[str, Any]) -> str:
    """The declaration that a schema refers to, directly or within."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    inner = [schema.get("items", {}), *schema.get("anyOf", [])]
    return next((found for one in inner if one and (found := _name(one))), "")


def _reachable(node: object, schemas: dict[str, Any]) -> Iterator[str]:
    """The declarations that bodies and answers need; queries are shown where they are used."""
    pending, seen = [json.dumps(node)], set[str]()
    while pending:
        for name in re.findall(r'"#/components/schemas/([^"]+)"', pending.pop()):
            if name not in seen:
                seen.add(name)
                pending.append(json.dumps(schemas[name]))
    yield from seen


def slug(text: str) -> str:
    """A text as part of an address."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
