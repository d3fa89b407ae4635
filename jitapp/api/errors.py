"""One shape for every "no" of the API: application/problem+json (RFC 9457) with a stable member `code`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import psycopg2
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import DataError, IntegrityError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.views import defaults
from rest_framework import exceptions
from rest_framework.response import Response

from jitapp.erp.documents import NothingToRetry
from jitapp.outages import store
from jitapp.outages.store import Trouble
from jitapp.pull.actions import Refused
from jitapp.pull.scan_request import TokenEnded

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = "2"
API = "/api/"
_encode = msgspec.json.Encoder(decimal_format="string").encode

# Every code of the API with the statuses it comes with; docs and OpenAPI are made from it.
CODES: dict[str, tuple[int, str]] = {
    "malformed": (400, "The body is no JSON object, or a parameter cannot be read."),
    "malformed_json": (400, "The body is no valid JSON."),
    "body_cut_off": (400, "The body ended before the length that was announced."),
    "cursor_unknown": (400, "The cursor was not given out by this list."),
    "token_missing": (401, "Send `Authorization: Bearer TOKEN`."),
    "token_unknown": (401, "The token is not known or was revoked."),
    "not_allowed": (403, "This token may not do this; a reader acts for nobody."),
    "wrong_device_station": (403, "This device stands at another station than the one it names."),
    "pin_missing": (403, "Only the person may do this: send their `pin` too, or let them do it logged in."),
    "pin_wrong": (403, "Badge and PIN do not fit, or there is no PIN yet: `manage.py pin NAME` sets one."),
    "not_found": (404, "There is nothing here that this token may see."),
    "method_not_allowed": (405, "The address is right, the method is not."),
    "not_acceptable": (406, "Answers are JSON."),
    "scan_id_reused": (409, "The scan id was used before for another scan."),
    "already_settled": (409, "Somebody has settled this scan already; the detail says who and when."),
    "not_waiting": (409, "This scan waits for nobody."),
    "turn_closed": (409, "The turn is closed: the card has gone on. Ask for the open turns."),
    "refused": (409, "A rule forbids the change; the detail says which and what to do."),
    "taken": (409, "The code names something else already."),
    "identity": (409, "What stands on printed cards cannot be changed."),
    "in_use": (409, "Cards or open turns depend on what would change; the detail says which and what to do."),
    "call_id_reused": (409, "The id of this call was used before for another call."),
    "call_taken": (409, "Somebody else has taken the call already."),
    "call_solved": (409, "The call is solved already."),
    "changeover_running": (409, "The station is changing over to another part family already."),
    "changeover_not_running": (409, "The station is not changing over."),
    "state_not_running": (409, "The station is not in that state. Read its states."),
    "key_reused": (409, "The Idempotency-Key was used before for another request; send it with a new one."),
    "changed_meanwhile": (409, "Somebody else wrote the same at the same moment. Read and send again."),
    "history_was_set_back": (
        410,
        "The database was restored since. `cursor` is where to go on, without one begin again;"
        " what was recorded after `kept_until` is no longer true.",
    ),
    "body_too_slow": (408, "The body did not arrive in time; send the same again."),
    "length_required": (411, "The body came in chunks; send it whole, with Content-Length."),
    "precondition_failed": (412, "`If-Match` names another version. Read it again and repeat the change."),
    "body_too_large": (413, "The body is too large."),
    "too_many_scans": (413, "Too many scans at once."),
    "too_many_reads": (413, "Too many reads of tags at once."),
    "too_many_rows": (413, "Too many rows at once."),
    "media_type": (415, "Bodies are application/json."),
    "field_unreadable": (422, "A member cannot be read; the detail says which."),
    "unknown_reference": (422, "A member names something that does not exist."),
    "twice": (422, "The same thing stands in the body twice."),
    "person_unknown": (422, "`by` names nobody who works in this plant; give a badge or a user name."),
    "reason_missing": (422, "A reason must be given."),
    "circle": (422, "Bills or loops would go in a circle."),
    "too_many_requests": (429, "More requests than this token may make; wait as Retry-After says."),
    "pin_waits": (429, "Too many wrong PINs, or one is being checked now; wait as Retry-After says."),
    "internal_error": (500, "The fault is ours and was written down."),
    "too_many_bodies": (503, "Many large bodies are on their way; wait as Retry-After says."),
    "store_unreachable": (503, "The database cannot be reached; send the same again as Retry-After says."),
    "store_busy": (503, "The database did not answer in time; send the same again as Retry-After says."),
    "store_unwritable": (
        503,
        "The database cannot write: its disk is full, or it is a copy that only reads.",
    ),
    "store_changing": (503, "The database is being restored or updated; send the same again later."),
}
_OF_TROUBLE = {
    Trouble.AWAY: ("store_unreachable", "The database cannot be reached now. Send the same again later."),
    Trouble.BUSY: ("store_busy", "The database did not answer in time. Send the same again later."),
    Trouble.UNWRITABLE: ("store_unwritable", "The database cannot write now. Send the same again later."),
    Trouble.CHANGING: ("store_changing", "The database is being changed now. Send the same again later."),
}


class ProblemShape(msgspec.Struct):
    """application/problem+json (RFC 9457); `code` is stable."""

    type: str
    title: str
    status: int
    code: str
    detail: str


class Problem(Exception):
    """A refusal at the door: HTTP status, a stable code and one sentence; `more` are further members."""

    def __init__(self, status: int, code: str, detail: str, **more: object) -> None:
        super().__init__(detail)
        self.status = status
        self.body: dict[str, object] = {
            "type": f"about:blank#{code}",
            "title": code.replace("_", " "),
            "status": status,
            "code": code,
            "detail": detail,
        } | more

    def headers(self) -> dict[str, str]:
        """What the status asks for beside the body."""
        if self.status == 401:
            return {"WWW-Authenticate": 'Bearer realm="jitapp"'}
        if self.status in (429, 503):
            return {"Retry-After": str(self.body.get("retry_after", RETRY_SECONDS))}
        return {}

    def response(self) -> HttpResponse:
        """The problem as an HTTP answer."""
        return HttpResponse(
            _encode(self.body), content_type=MEDIA_TYPE, status=self.status, headers=self.headers()
        )


def problem_of(code: str, names: Mapping[str, str]) -> Problem:
    """The refusal of an action as the API says it; `names` has the codes that the API calls differently."""
    known = names.get(code, code)
    status, sentence = CODES[known]
    return Problem(status, known, sentence)


def store_trouble(trouble: Trouble) -> Problem:
    """What the database lacks, as every door of the API says it; the only 5xx that is no fault of ours."""
    return Problem(503, *_OF_TROUBLE[trouble])


def problem_handler(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """REST framework's exceptions in our shape; None hands the rest to Django, and so to `server_error`."""
    problem = problem_from(error, at=context["request"].path)
    if problem is None:
        return None
    return Response(problem.body, status=problem.status, headers=problem.headers(), content_type=MEDIA_TYPE)


def problem_from(error: Exception, *, at: str = "") -> Problem | None:
    """What an exception says to a client; None for a fault of ours. `at` is the address, for the log."""
    match error:
        case Problem():
            return error
        case exceptions.NotAuthenticated():
            return Problem(401, "token_missing", "Send the header `Authorization: Bearer TOKEN`.")
        case exceptions.AuthenticationFailed() | TokenEnded():
            return Problem(401, "token_unknown", "This token is not known or was revoked. Ask for a new one.")
        case exceptions.PermissionDenied() | PermissionDenied():
            return Problem(403, "not_allowed", str(error) or "This token may not do this.")
        case exceptions.NotFound() | Http404():
            return Problem(404, "not_found", "There is nothing here that this token may see.")
        case exceptions.MethodNotAllowed():
            return Problem(405, "method_not_allowed", str(error.detail))
        case exceptions.NotAcceptable():
            return Problem(406, "not_acceptable", "Answers are JSON: send `Accept: application/json`.")
        case exceptions.UnsupportedMediaType():
            return Problem(415, "media_type", "Send the body as application/json.")
        case exceptions.Throttled():
            return Problem(429, "too_many_requests", "Too many requests with this token. Wait and go on.")
        case exceptions.ParseError():
            return Problem(400, "malformed_json", str(error.detail))
        case RequestDataTooBig():
            return Problem(413, "body_too_large", "The body is too large. Send less at once.")
        case exceptions.ValidationError():
            return Problem(422, "field_unreadable", str(error.detail))
        case Refused() | NothingToRetry():
            return Problem(409, "refused", str(error))
        case IntegrityError() | psycopg2.IntegrityError():
            return Problem(
                409, "changed_meanwhile", "Somebody else wrote the same meanwhile. Read and send again."
            )
        case DataError() | psycopg2.DataError():
            return Problem(422, "field_unreadable", "A value does not fit its column.")
    trouble = store.told(error, at=at)
    return None if trouble is None else store_trouble(trouble)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Django's 400: JSON under /api/, a page elsewhere."""
    if request.path_info.startswith(API):
        return Problem(400, "malformed", "The request cannot be read.").response()
    return defaults.bad_request(request, exception)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Django's 403: JSON under /api/, a page elsewhere."""
    if request.path_info.startswith(API):
        return Problem(403, "not_allowed", "This token may not do this.").response()
    return defaults.permission_denied(request, exception)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Django's 404: JSON under /api/, a page elsewhere."""
    if request.path_info.startswith(API):
        return Problem(404, "not_found", "There is no such address in this API; see /api/v1/docs.").response()
    return defaults.page_not_found(request, exception)


def internal_error() -> Problem:
    """A fault of ours, which is in the log with its traceback."""
    return Problem(500, "internal_error", "The fault is ours and was written down. Nothing was changed.")
