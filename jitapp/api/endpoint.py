"""What every endpoint shares: exact JSON in and out, and lists page by page."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import IO, Any
from urllib.parse import urlencode

import msgspec
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from jitapp.api.auth import Pace
from jitapp.api.errors import Problem
from jitapp.plant.exactjson import read_json
from jitapp.plant.shopfile import Unreadable
from jitapp.pull.reading.lists import Page
from jitapp.pull.scan_request import Source

MOST_BYTES = 5_000_000
LIMIT = 100
MOST_LIMIT = 500
_encode = msgspec.json.Encoder(decimal_format="string").encode


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


class Endpoint(APIView):
    """A door of the API."""

    parser_classes = (ExactJSONParser,)
    renderer_classes = (ExactJSONRenderer,)
    throttle_classes = (Pace,)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """No database keeps NUL; better said here than found there."""
        super().initial(request, *args, **kwargs)
        texts = [*kwargs.values(), *(text for texts in request.query_params.lists() for text in texts[1])]
        if any("\0" in text for text in texts if isinstance(text, str)):
            raise Problem(400, "malformed", "The address holds a NUL character.")

    def source(self) -> Source:
        """The device that calls."""
        assert isinstance(self.request.auth, Source)
        return self.request.auth

    def plants(self) -> frozenset[int]:
        """The plants that it may see."""
        return self.source().plant_ids


def flag(request: Request, name: str) -> bool:
    """Whether a parameter says yes. Raises Problem for neither yes nor no."""
    text = request.query_params.get(name, "").lower()
    if text in ("", "0", "false", "no"):
        return False
    if text in ("1", "true", "yes"):
        return True
    raise Problem(400, "malformed", f"`{name}` is 1 or 0.")


def limit_of(request: Request) -> int:
    """How many rows the reader wants. Raises Problem."""
    text = request.query_params.get("limit", "")
    if not text:
        return LIMIT
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= MOST_LIMIT):
        raise Problem(400, "malformed", f"`limit` is a number from 1 to {MOST_LIMIT}.")
    return int(text)


def paged(request: Request, read: Callable[[int, int], Page]) -> Response:
    """A page of a list: `read` takes the last id seen and the limit."""
    page = read(_after(request.query_params.get("cursor", "")), limit_of(request))
    following = None if page.last_id is None else next_url(request, _cursor(page.last_id))
    return Response({"results": page.rows, "next": following})


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
