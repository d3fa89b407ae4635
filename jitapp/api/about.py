"""The API about itself: the OpenAPI document and a page for people, without anything from other hosts."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import msgspec
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from jitapp.api import openapi
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
    return render(
        request, "api/docs.html", {"groups": _groups(), "events": EVENT_TYPES, "base": openapi.BASE}
    )


@lru_cache(maxsize=1)
def _groups() -> dict[str, list[dict[str, Any]]]:
    document = openapi.document()
    groups: dict[str, list[dict[str, Any]]] = {}
    for operation in openapi.OPERATIONS:
        described = document["paths"][openapi.BASE + operation.path][operation.method]
        body = described.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
        answer = described["responses"][str(operation.status)]["content"]["application/json"]["schema"]
        groups.setdefault(operation.group, []).append(
            {
                "id": described["operationId"],
                "method": operation.method.upper(),
                "path": openapi.BASE + operation.path,
                "summary": operation.summary,
                "who": operation.who,
                "parameters": described["parameters"],
                "body": _members(body, document) if body else [],
                "answer": _members(answer, document),
                "problems": [
                    (status, code, meaning)
                    for status in openapi.problems_of(operation)
                    for code, meaning in openapi.codes_of(status)
                ],
            }
        )
    return groups


def _members(schema: dict[str, Any], document: dict[str, Any]) -> list[tuple[str, str, bool]]:
    """(member, what it is, required) of an object schema, one level deep."""
    schema = _resolved(schema, document)
    required = schema.get("required", [])
    return [
        (name, _words(inner, document), name in required)
        for name, inner in schema.get("properties", {}).items()
    ]


def _resolved(schema: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in schema:
        found: dict[str, Any] = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        return found
    return schema


def _words(schema: dict[str, Any], document: dict[str, Any]) -> str:
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
