"""The OpenAPI 3.1 document, made from the operations that the resources declare."""

from __future__ import annotations

from typing import Any, get_args, get_origin

import msgspec
from msgspec import inspect

from jitapp.api import webhooks
from jitapp.api.endpoint import Rows
from jitapp.api.errors import CODES, MEDIA_TYPE, ProblemShape
from jitapp.api.operations import ANYBODY, BASE, Operation, Parameter, Schema, described, ref
from jitapp.api.resources import ADDRESSES
from jitapp.kanban.book import EVENT_TYPES
from jitapp.kanban.vocabulary import Intent

ITSELF = described(
    Operation("This description", {"type": "object"}, who=ANYBODY),
    method="get",
    path="openapi.json",
    group="About",
)
OPERATIONS: tuple[Operation, ...] = (
    *(operation for address in ADDRESSES for operation in address.operations),
    ITSELF,
)


def document() -> Schema:
    """The whole document."""
    paths: dict[str, Schema] = {}
    for operation in OPERATIONS:
        paths.setdefault(BASE + operation.path, {})[operation.method] = _operation(operation)
    statuses = sorted({status for operation in OPERATIONS for status in operation.statuses})
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "jitapp",
            "version": "1",
            "description": "Electronic kanban: scans in, signals out. Times are ISO 8601 with offset,"
            " quantities decimal strings, ids made by clients UUIDs.",
        },
        "servers": [{"url": "/"}],
        "security": [{"token": []}],
        "paths": paths,
        "webhooks": webhooks.calls_to_the_erp(),
        "components": {
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "manage.py api_token NAME --kind erp",
                }
            },
            "schemas": _components(),
            "responses": {str(status): _problem_response(status) for status in statuses},
        },
    }


def codes_of(status: int) -> list[tuple[str, str]]:
    """The codes that come with a status, and what they mean."""
    return [(code, meaning) for code, (its, meaning) in CODES.items() if its == status]


def _components() -> Schema:
    """The schemas of every type that an operation or a webhook names."""
    named = [shape for operation in OPERATIONS for shape in (operation.answer, operation.body)]
    types: list[type] = list(
        dict.fromkeys(
            inner for shape in (*named, *webhooks.TYPES, ProblemShape) if (inner := _inner(shape)) is not None
        )
    )
    _, components = msgspec.json.schema_components(types, ref_template=ref("{name}")["$ref"])
    _mark_instants(types, components)
    components["ScanBody"]["properties"]["intent"] = {
        "enum": [*(intent.value for intent in Intent), None],
        "description": "without it: the station's, else what fits the card",
    }
    components["FeedEvent"]["properties"]["type"] = {"type": "string", "examples": sorted(EVENT_TYPES)}
    return components


def _inner(shape: Any) -> type | None:
    """The type that a body or an answer is made of: of a page its rows; none for a file, and for a schema."""
    if get_origin(shape) is Rows:
        (shape,) = get_args(shape)
    return shape if isinstance(shape, type) and shape is not bytes else None


def _schema(shape: Any) -> Schema:
    if shape is bytes:
        return {"type": "string", "format": "binary"}
    inner = _inner(shape)
    if inner is None:
        written: Schema = shape
        return written
    return _page_of(ref(inner.__name__)) if get_origin(shape) is Rows else ref(inner.__name__)


def _page_of(row: Schema) -> Schema:
    properties = {
        "results": {"type": "array", "items": row},
        "next": {"type": ["string", "null"], "format": "uri", "description": "address of the next page"},
    }
    return {"type": "object", "properties": properties, "required": list(properties)}


def _mark_instants(types: list[type], components: Schema) -> None:
    """Says `date-time` where a member is an instant; msgspec says so only where an offset is checked."""
    waiting: list[inspect.Type] = list(inspect.multi_type_info(types))
    seen: set[str] = set()
    while waiting:
        shape = waiting.pop()
        if isinstance(shape, inspect.UnionType):
            waiting += shape.types
        elif isinstance(shape, inspect.ListType):
            waiting.append(shape.item_type)
        elif (
            isinstance(shape, (inspect.StructType, inspect.DataclassType)) and shape.cls.__name__ not in seen
        ):
            seen.add(shape.cls.__name__)
            for member in shape.fields:
                waiting.append(member.type)
                inner = member.type.types if isinstance(member.type, inspect.UnionType) else (member.type,)
                if any(isinstance(each, inspect.DateTimeType) for each in inner):
                    described = components[shape.cls.__name__]["properties"][member.encode_name]
                    for each in described.get("anyOf", [described]):
                        if each.get("type") == "string":
                            each["format"] = "date-time"


def _operation(operation: Operation) -> Schema:
    content = {media: {"schema": _schema(operation.answer)} for media in operation.media}
    responses: Schema = {str(operation.status): {"description": "Done.", "content": content}}
    for status, text in operation.also.items():
        responses[str(status)] = {"description": text} | ({"content": content} if status == 201 else {})
    for status in operation.statuses:
        responses[str(status)] = {"$ref": f"#/components/responses/{status}"}
    shown: Schema = {
        "operationId": operation.id,
        "summary": operation.summary,
        "description": f"For {operation.who}.",
        "tags": [operation.group],
        "parameters": [_parameter(parameter) for parameter in operation.parameters],
        "responses": responses,
    }
    if operation.body is not None:
        shown["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": _schema(operation.body)}},
        }
    if operation.who == ANYBODY:
        shown["security"] = []
    return shown


def _parameter(parameter: Parameter) -> Schema:
    shown: Schema = {"name": parameter.name, "in": parameter.place, "schema": parameter.schema}
    if parameter.text:
        shown["description"] = parameter.text
    if parameter.place == "path":
        shown["required"] = True
    return shown


def _problem_response(status: int) -> Schema:
    meanings = "; ".join(f"`{code}`: {meaning}" for code, meaning in codes_of(status))
    return {"description": meanings, "content": {MEDIA_TYPE: {"schema": ref("ProblemShape")}}}
