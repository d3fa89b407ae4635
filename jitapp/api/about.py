"""The API about itself: the OpenAPI document and a page for people, without anything from other hosts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import msgspec
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from jitapp.api import openapi
from jitapp.api.operations import BASE, Address, Parameter, Schema
from jitapp.kanban.book import EVENT_TYPES


@lru_cache(maxsize=1)
def openapi_bytes() -> bytes:
    """The document, made once."""
    return msgspec.json.format(msgspec.json.encode(openapi.document()), indent=2)


@require_safe
@cache_control(public=True, max_age=300)
def openapi_json(_request: HttpRequest) -> HttpResponse:
    """/api/v1/openapi.json"""
    return HttpResponse(openapi_bytes(), content_type="application/json")


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """/api/v1/docs"""
    return render(request, "api/docs.html", {"groups": _groups(), "events": EVENT_TYPES, "base": BASE})


@dataclass(frozen=True, slots=True)
class Shown:
    """An operation as the page shows it; `body` and `answer` are (member, what it is, required)."""

    id: str
    method: str
    path: str
    summary: str
    who: str
    parameters: tuple[Parameter, ...]
    body: list[tuple[str, str, bool]]
    answer: list[tuple[str, str, bool]]
    problems: list[tuple[int, str, str]]


@lru_cache(maxsize=1)
def _groups() -> dict[str, list[Shown]]:
    document = openapi.document()
    groups: dict[str, list[Shown]] = {}
    for operation in openapi.OPERATIONS:
        described = document["paths"][BASE + operation.path][operation.method]
        body = described.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
        answer = described["responses"][str(operation.status)]["content"][operation.media[0]]["schema"]
        groups.setdefault(operation.group, []).append(
            Shown(
                id=operation.id,
                method=operation.method.upper(),
                path=BASE + operation.path,
                summary=operation.summary,
                who=operation.who,
                parameters=operation.parameters,
                body=_members(body, document) if body else [],
                answer=_members(answer, document),
                problems=[
                    (status, code, meaning)
                    for status in operation.statuses
                    for code, meaning in openapi.codes_of(status)
                ],
            )
        )
    return groups


def _members(schema: Schema, document: Schema) -> list[tuple[str, str, bool]]:
    """(member, what it is, required) of an object schema, one level deep."""
    schema = _resolved(schema, document)
    required = schema.get("required", [])
    return [
        (name, _words(inner, document), name in required)
        for name, inner in schema.get("properties", {}).items()
    ]


def _resolved(schema: Schema, document: Schema) -> Schema:
    if "$ref" in schema:
        found: Schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        return found
    return schema


def _words(schema: Schema, document: Schema) -> str:
    """A schema in a few words: "text", "list of TurnFacts", "FULL, EMPTY"."""
    if "$ref" in schema:
        target = _resolved(schema, document)
        return _words(target, document) if "enum" in target else str(target.get("title", ""))
    if "anyOf" in schema:
        return " or ".join(_words(inner, document) for inner in schema["anyOf"])
    if "enum" in schema:
        return ", ".join("null" if word is None else str(word) for word in schema["enum"])
    kind = schema.get("type", "anything")
    if kind == "array":
        return f"list of {_words(schema.get('items', {}), document)}"
    if kind == "string":
        return {"decimal": "decimal string", "date-time": "instant", "uuid": "UUID"}.get(
            schema.get("format", ""), "text"
        )
    return " or ".join(kind) if isinstance(kind, list) else str(kind)


ADDRESSES = (
    Address("openapi.json", "openapi", openapi_json, (openapi.ITSELF,)),
    Address("docs", "api-docs", docs),
)
