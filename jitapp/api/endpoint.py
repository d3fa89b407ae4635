"""The parts that every endpoint shares: declaring operations, exact JSON in and out, pages of a list."""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import wraps
from typing import IO, Any, ClassVar, Concatenate, Generic, ParamSpec, TypedDict, TypeVar, Unpack, overload
from urllib.parse import urlencode

import msgspec
from django.http import Http404
from django.utils import timezone
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from jitapp.api.auth import HasDevice, Throttle
from jitapp.api.bodies import no_members, object_of, read
from jitapp.api.errors import CODES, Problem, problem_of
from jitapp.api.keys import Given, claimed, key_of_device, key_text, once
from jitapp.api.naming import places_as_kept
from jitapp.api.operations import METHODS, WRITES, Address, Operation, Parameter, Schema, address
from jitapp.plant.configs import configs
from jitapp.plant.exactjson import read_json
from jitapp.plant.shopfile import Unreadable
from jitapp.pull.acting import actor_of, proved_actor
from jitapp.pull.reading.lists import Page
from jitapp.pull.scan_request import Actor, Source

MOST_BYTES = 5_000_000
LIMIT = 100
MOST_LIMIT = 500
_encode = msgspec.json.Encoder(decimal_format="string").encode
A = TypeVar("A")
B = TypeVar("B")
P = ParamSpec("P")


class ExactJSONParser(BaseParser):
    """JSON whose numbers keep their digits, at most MOST_BYTES long."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """The body as lists, members and text. Raises ParseError and Problem."""
        raw = stream.read(MOST_BYTES + 1)
        if len(raw) > MOST_BYTES:
            raise Problem(
                413, "body_too_large", f"The body is larger than {MOST_BYTES} bytes. Send less at once."
            )
        try:
            return read_json(raw)
        except Unreadable as error:
            raise ParseError(str(error)) from None


class ExactJSONRenderer(BaseRenderer):
    """Facts and builtins as JSON: decimals are strings, instants ISO 8601 with offset."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        """The bytes of the answer."""
        return b"" if data is None else _encode(data)


class Rows(msgspec.Struct, Generic[A]):
    """A page of a list; `next` is the address of the next page, None after the last."""

    results: list[A]
    next: str | None


class Endpoint(APIView):
    """One address of the API: its path, and a declared operation per method (see `operation`)."""

    path: ClassVar[str]  # below /api/v1/, in Django's notation
    url_name: ClassVar[str]
    group: ClassVar[str]  # heading in the documentation
    words: ClassVar[Mapping[str, tuple[str, ...]]] = {}  # the only ones that a place of the path takes
    declared: ClassVar[Mapping[str, Operation]] = {}

    permission_classes = (HasDevice,)
    parser_classes = (ExactJSONParser,)
    renderer_classes: Sequence[type[BaseRenderer]] = (ExactJSONRenderer,)
    throttle_classes = (Throttle,)

    def __init_subclass__(cls, **more: Any) -> None:
        """Collects what the methods declare."""
        super().__init_subclass__(**more)
        if not hasattr(cls, "path"):
            return  # a base that endpoints share
        handlers = {method: vars(getattr(cls, method)) for method in METHODS if hasattr(cls, method)}
        cls.declared = {
            method: cls.describe(held[_DECLARED]) for method, held in handlers.items() if _DECLARED in held
        }

    @classmethod
    def describe(cls, operation: Operation) -> Operation:
        """The operation as this endpoint has it; for families whose members differ in their types."""
        return operation

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """No database keeps NUL; better said here than found there. A word that the path does not know is 404."""
        super().initial(request, *args, **kwargs)
        texts = [*kwargs.values(), *(text for texts in request.query_params.lists() for text in texts[1])]
        if any("\0" in text for text in texts if isinstance(text, str)):
            raise Problem(400, "malformed", "The address holds a NUL character.")
        if any(kwargs[name] not in known for name, known in self.words.items()):
            raise Http404

    def meant(self, _request: Request, places: Mapping[str, Any]) -> dict[str, Any]:
        """The places of the path as they are kept, where somebody wrote them in another case."""
        return places_as_kept(self.path, places, self.plants())

    def source(self) -> Source:
        """The device that calls."""
        assert isinstance(self.request.auth, Source)
        return self.request.auth

    def source_by(self, by: str, pin: str = "") -> Source:
        """The device together with the person whom it names, by badge or user name: without a right, or with a PIN that
        proves it with those of their roles. Raises Problem, also for somebody who does not work in its plant."""
        source = self.source()
        if not by:
            return source
        known, now = configs(), timezone.now()
        actor = proved_actor(known, by, pin, source, now) if pin else actor_of(known, by, source)
        if actor.doubt:
            raise _doubted(actor, now)
        return replace(source, person_id=actor.person_id, roles=actor.roles)

    def source_as(self, by: str, pin: str) -> Source:
        """The same for what only the person may do: the PIN must be there. Raises Problem."""
        if by and not pin:
            self.source_by(by)  # who cannot be named is told that first
            raise problem_of("pin_missing", {})
        return self.source_by(by, pin)

    def plants(self) -> frozenset[int]:
        """The plants that it may see."""
        return self.source().plant_ids


_DOUBTS = {"by_reader": "not_allowed", "by_unknown": "person_unknown", "by_unproved": "pin_wrong"}


def _doubted(actor: Actor, now: datetime) -> Problem:
    """Why a device does not act for the person whom it named."""
    if actor.doubt in _DOUBTS:
        return problem_of(_DOUBTS[actor.doubt], {})
    wait = 1 if actor.until is None else math.ceil((actor.until - now).total_seconds())
    return Problem(429, "pin_waits", CODES["pin_waits"][1], retry_after=max(1, wait))


class Declaring(TypedDict, total=False):
    """What an operation may declare beside its summary, answer and body; see `Operation`."""

    parameters: tuple[Parameter, ...]
    problems: tuple[int, ...]
    also: Mapping[int, str]
    who: str
    by_receipt: bool
    media: tuple[str, ...]


Served = Callable[Concatenate[Any, Request, P], Response]
_DECLARED = "operation"


@overload
def operation(
    summary: str, *, answer: type[A], body: type[B], **more: Unpack[Declaring]
) -> Callable[[Callable[Concatenate[Any, Request, B, P], A | Response]], Served[P]]: ...
@overload
def operation(
    summary: str, *, answer: type[A], unchecked: type, **more: Unpack[Declaring]
) -> Callable[[Callable[Concatenate[Any, Request, dict[str, object], P], A | Response]], Served[P]]: ...
@overload
def operation(
    summary: str, *, answer: type[A], **more: Unpack[Declaring]
) -> Callable[[Callable[Concatenate[Any, Request, P], A | Response]], Served[P]]: ...
def operation(
    summary: str,
    *,
    answer: type[Any],
    body: type[Any] | None = None,
    unchecked: type[Any] | None = None,
    **more: Unpack[Declaring],
) -> Callable[[Callable[..., Any]], Callable[..., Response]]:
    """Declares a method of an Endpoint.

    The method takes the request, then the body where one is declared, then the places of the path; it returns the
    answer, or a Response where headers or another status go with it. `body` is read and checked before the method
    runs. `unchecked` is a body of that shape whose members a room below checks: the method gets the plain object.
    A write that comes with an Idempotency-Key again is not done again: what it was answered it is answered.
    """
    declared = Operation(summary, answer, body or unchecked, **more)

    def declare(method: Callable[..., Any]) -> Callable[..., Response]:
        @wraps(method)
        def serve(endpoint: Endpoint, request: Request, **places: Any) -> Response:
            places = endpoint.meant(request, places)

            def done() -> Response:
                given: tuple[object, ...] = ()
                if body is not None:
                    given = (read(request, body),)
                elif unchecked is not None:
                    given = (object_of(request),)
                answered = method(endpoint, request, *given, **places)
                return answered if isinstance(answered, Response) else Response(answered)

            if (request.method or "").lower() not in WRITES:
                return done()
            if declared.body is None:
                no_members(request)
            return _once(endpoint.source(), request, declared, done)

        vars(serve)[_DECLARED] = declared
        return serve

    return declare


def _once(source: Source, request: Request, declared: Operation, done: Callable[[], Response]) -> Response:
    """The answer of `done`, or the first one to the same Idempotency-Key."""
    text = key_text(request.headers.get("Idempotency-Key"))
    if not text:
        return done()
    # Without the PIN, which a stored print of it would give away.
    said = {} if declared.body is None else object_of(request) | {"pin": None}
    question = sorted(request.query_params.lists())
    key = key_of_device(source, text, request.method, request.path, question, said)
    if declared.by_receipt:
        with claimed(key):
            return done()

    def produce() -> Given:
        answered = done()
        return Given(answered.status_code, _encode(answered.data), answered.headers.get("ETag", ""))

    given = once(key, produce)
    headers = {"ETag": given.etag} if given.etag else {}
    if given.replayed:
        headers["Idempotent-Replayed"] = "true"
    return Response(msgspec.Raw(given.body), status=given.status, headers=headers)


def addresses(*endpoints: type[Endpoint]) -> tuple[Address, ...]:
    """The endpoints of a resource as addresses, for the table of resources."""
    return tuple(
        address(each.path, each.url_name, each.as_view(), group=each.group, words=each.words, **each.declared)
        for each in endpoints
    )


def or_404(found: A | None) -> A:
    """What was found. Raises Http404 for nothing, and for what this token may not see."""
    if found is None:
        raise Http404
    return found


_NO, _YES = ("0", "false", "no"), ("1", "true", "yes")
YES_NO: Schema = {"type": "string", "enum": [*_NO, *_YES]}
OPEN = Parameter("open", "1: only those that are not closed", YES_NO)
PAGE_SIZE = Parameter(
    "limit",
    f"rows in a page, {LIMIT} if not given",
    {"type": "integer", "minimum": 1, "maximum": MOST_LIMIT},
)
PAGING = (Parameter("cursor", "where the page before ended; opaque"), PAGE_SIZE)


def parameter(request: Request, name: str) -> str | None:
    """A parameter that has a shape; None if it is not there. Raises Problem if it is there without a value: what was
    left out by mistake is not a wish for everything."""
    text: str | None = request.query_params.get(name)
    if text == "":
        raise Problem(400, "malformed", f"`{name}` is empty. Give it a value, or leave it out.")
    return text


def flag(request: Request, name: str) -> bool:
    """Whether a parameter says yes. Raises Problem for neither yes nor no."""
    text = (parameter(request, name) or "0").lower()
    if text not in (*_NO, *_YES):
        raise Problem(400, "malformed", f"`{name}` is 1 or 0.")
    return text in _YES


def limit_of(request: Request) -> int:
    """How many rows the reader wants. Raises Problem."""
    text = parameter(request, "limit")
    if text is None:
        return LIMIT
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= MOST_LIMIT):
        raise Problem(400, "malformed", f"`limit` is a number from 1 to {MOST_LIMIT}.")
    return int(text)


def paged(request: Request, read_page: Callable[[int, int], Page]) -> Rows[Any]:
    """A page of a list: `read_page` takes the last id seen and the limit."""
    page = read_page(_after(request.query_params.get("cursor", "")), limit_of(request))
    following = None if page.last_id is None else next_url(request, _cursor(page.last_id))
    return Rows(page.rows, following)


def next_url(request: Request, cursor: str) -> str:
    """The address of the next page: the same question, further on."""
    question = request.query_params.dict() | {"cursor": cursor}
    return request.build_absolute_uri(f"{request.path}?{urlencode(question)}")


def _cursor(last_id: int) -> str:
    return base64.urlsafe_b64encode(f"i.{last_id}".encode()).decode().rstrip("=")


def _after(cursor: str) -> int:
    if not cursor:
        return 0
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        name, _, number = (
            base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii").partition(".")
        )
    except (binascii.Error, ValueError):
        name, number = "", ""
    if name != "i" or not number.isdigit() or len(number) > 18:
        raise Problem(400, "cursor_unknown", "This cursor was not given out by this list. Begin without one.")
    return int(number)
