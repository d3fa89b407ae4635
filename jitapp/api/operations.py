"""What an operation of the API is, as a value.

The URL, the check of the body, the rights, the OpenAPI description, the page for people and `manage.py routes` all
follow from these values; nothing is written down a second time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from django import urls
from django.http import HttpResponseBase
from django.urls import register_converter
from django.urls.converters import StringConverter

BASE = "/api/v1"
METHODS = ("get", "put", "post", "patch", "delete")
WRITES = frozenset(METHODS) - {"get"}
EVERY_DEVICE, ERP_ONLY, ANYBODY = "every token", "tokens of kind erp", "anybody"
Schema = dict[str, Any]  # a JSON Schema, or a part of an OpenAPI document
_PLACE = re.compile(r"<(?P<kind>str|text|uuid):(?P<name>\w+)>")


class AnyText(StringConverter):
    """A place that takes slashes and line ends as well: what a name may hold is said by who reads it."""

    regex = "(?s:.+)"


register_converter(AnyText, "text")


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value beside the body: in the query, in a header, or in the path."""

    name: str
    text: str = ""
    schema: Schema = field(default_factory=lambda: {"type": "string"})
    place: Literal["query", "header", "path"] = "query"

    @property
    def can_be_malformed(self) -> bool:
        """Whether it is read only after the address was found: a UUID in a path that is none is 404."""
        return self.place == "query" or (self.place == "path" and "format" not in self.schema)


LONGEST_KEY = 200
KEY = Parameter(
    "Idempotency-Key",
    "the same key again gets the first answer",
    {"type": "string", "maxLength": LONGEST_KEY},
    "header",
)


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one address.

    `answer` is what a success returns with `status`, `also` names other statuses that are no problem. `body` is the
    shape of the body, None where none is read. `problems` are the statuses that the operation itself can answer;
    those that follow from its body, its parameters and its rights are added by `statuses`. `plain` marks a Django
    view that does not look at media types. Every write takes an Idempotency-Key (keys.py); `by_receipt` marks one
    whose first answer is kept by the receipt of a scan. `media` are the media types of a success; `bytes` as its answer
    is a file. `method`, `path` (in OpenAPI's notation, below BASE) and
    `group` are filled in by the address.
    """

    summary: str
    answer: Any  # a type, a generic like Rows[CardFacts], or a Schema
    body: type | Schema | None = None
    parameters: tuple[Parameter, ...] = ()
    problems: tuple[int, ...] = ()
    status: int = 200
    also: Mapping[int, str] = field(default_factory=dict)
    who: str = EVERY_DEVICE
    plain: bool = False
    by_receipt: bool = False
    media: tuple[str, ...] = ("application/json",)
    method: str = ""
    path: str = ""
    group: str = ""

    @property
    def id(self) -> str:
        """A name for generated clients: get_parts_number."""
        words = self.path.replace("{", "").replace("}", "").replace(".", "_").split("/")
        return "_".join([self.method, *(word.replace("-", "_") for word in words if word)])

    @property
    def statuses(self) -> list[int]:
        """Every status beside success that the operation can answer, in order."""
        if self.who == ANYBODY:
            return [405]
        found = {401, 405, 429, 503, *self.problems}
        if not self.plain:
            found.add(406)
        if self.method in WRITES:
            found |= {400, 408, 409, 413, 422} if self.plain else {400, 408, 409, 411, 413, 415, 422}
        if any(parameter.can_be_malformed for parameter in self.parameters):
            found.add(400)
        if self.who == ERP_ONLY:
            found.add(403)
        return sorted(found)


@dataclass(frozen=True, slots=True)
class Address:
    """A path below BASE in Django's notation with its view; what it does, unless it is a page for people."""

    path: str
    name: str
    view: Callable[..., HttpResponseBase]
    operations: tuple[Operation, ...] = ()

    def pattern(self) -> urls.URLPattern:
        """The address in Django's site map."""
        return urls.path(self.path, self.view, name=self.name)

    @property
    def places(self) -> tuple[bool, ...]:
        """Per part of the path whether it is a place to fill in; a word is to be tried before a place."""
        return tuple("<" in part for part in self.path.split("/"))


def address(
    where: str,
    name: str,
    view: Callable[..., HttpResponseBase],
    *,
    group: str,
    words: Mapping[str, tuple[str, ...]] | None = None,
    **operations: Operation,
) -> Address:
    """An address with its operations by method; `words` are the only ones that a place of the path takes."""
    return Address(
        where,
        name,
        view,
        tuple(
            described(operation, method=method, path=where, group=group, words=words)
            for method, operation in operations.items()
        ),
    )


def described(
    operation: Operation,
    *,
    method: str,
    path: str,
    group: str,
    words: Mapping[str, tuple[str, ...]] | None = None,
) -> Operation:
    """The operation at its address; the places of the path become parameters."""
    return replace(
        operation,
        method=method,
        path="/" + _PLACE.sub(r"{\g<name>}", path),
        group=group,
        parameters=(
            *_places(path, words or {}),
            *operation.parameters,
            *((KEY,) if method in WRITES else ()),
        ),
    )


def ref(name: str) -> Schema:
    """Points to a schema of the document."""
    return {"$ref": f"#/components/schemas/{name}"}


def _places(where: str, words: Mapping[str, tuple[str, ...]]) -> Iterable[Parameter]:
    for found in _PLACE.finditer(where):
        schema: Schema = {"type": "string"}
        if found["kind"] == "uuid":
            schema["format"] = "uuid"
        if found["name"] in words:
            schema["enum"] = list(words[found["name"]])
        yield Parameter(found["name"], schema=schema, place="path")
