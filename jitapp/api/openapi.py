"""The API described by its own types: one table of operations; OpenAPI 3.1, the docs page and `routes` read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import inspect

from jitapp.api.acts import (
    VERBS,
    ActAnswer,
    DocumentBody,
    FailureBody,
    HoldBody,
    LoopChangeBody,
    OrderBody,
    TurnActBody,
)
from jitapp.api.calls import ByBody, CallBody, ChangeoverBody, SolveBody, TakeBody
from jitapp.api.endpoint import LIMIT, MOST_LIMIT
from jitapp.api.errors import CODES, MEDIA_TYPE
from jitapp.api.parked import SettleBody
from jitapp.api.scans import ScanBody
from jitapp.api.waits import StateBody, StateEndBody
from jitapp.erp.queries import RequestFacts
from jitapp.kanban.events import EVENT_TYPES
from jitapp.kanban.vocabulary import Intent, Outcome, ScreenState, Sound
from jitapp.plant.shopfile import AreaRow, BillRow, LoopRow, PartRow, StationRow, SupplierRow
from jitapp.pull.actions import Settled
from jitapp.pull.reading.attempts import AttemptFacts
from jitapp.pull.reading.calls import CallFacts
from jitapp.pull.reading.chain import Chain
from jitapp.pull.reading.changeovers import StationChangeovers
from jitapp.pull.reading.feed import FeedEvent
from jitapp.pull.reading.lists import CardFacts, RunoutFacts, StationFacts, TurnFacts
from jitapp.pull.reading.parked import ParkedScan
from jitapp.pull.reading.waits import StationStanding, WaitFacts, WaitSummary

BASE = "/api/v1"
Schema = dict[str, Any]
EVERY_DEVICE, ERP_ONLY, ANYBODY = "every token", "tokens of kind erp", "anybody"


class ScanCard(msgspec.Struct):
    """The card as it is after the scan."""

    code: str
    loop: str
    part: str
    number: int
    of: int
    card_status: str
    supply_status: str


class ScanTurn(msgspec.Struct):
    """The card's turn after the scan."""

    id: UUID
    number: int
    signal_state: str
    due_at: datetime | None


class ScanAnswer(msgspec.Struct):
    """200 means recorded: the client may forget the scan."""

    id: UUID
    outcome: Outcome
    replayed: bool
    code: str
    message: str
    next: str
    sound: Sound
    state: ScreenState
    recorded_at: datetime
    card: ScanCard | None = None
    turn: ScanTurn | None = None


class ProblemShape(msgspec.Struct):
    """application/problem+json (RFC 9457); `code` is stable."""

    type: str
    title: str
    status: int
    code: str
    detail: str


class DocumentOrder(msgspec.Struct):
    """What the ERP is asked for: a document for one turn. `waits`: the signal goes out when its number is there."""

    turn: UUID
    plant: str
    loop: str
    card: str
    part: str
    quantity: str
    unit: str
    supplier: str
    deliver_to: str
    due: datetime
    opened_at: datetime
    waits: bool


class DocumentNumber(msgspec.Struct):
    """The number of the document that the ERP made, or made before for the same key."""

    number: str


class UpsertResult(msgspec.Struct):
    """What became of one row."""

    row: int
    type: str
    key: str
    status: str
    changes: dict[str, list[str]] | msgspec.UnsetType = msgspec.UNSET
    code: str | msgspec.UnsetType = msgspec.UNSET
    message: str | msgspec.UnsetType = msgspec.UNSET


class UpsertAnswer(msgspec.Struct):
    """Counts and row-level results in the order of the request."""

    dry_run: bool
    created: int
    changed: int
    unchanged: int
    skipped: int
    error: int
    cards: int
    notes: list[str]
    results: list[UpsertResult]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of the question."""

    name: str
    text: str
    schema: Schema = field(default_factory=lambda: {"type": "string"})


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one address; `path` is below BASE."""

    method: str
    path: str
    summary: str
    group: str
    answer: type | Schema
    body: type | Schema | None = None
    parameters: tuple[Parameter, ...] = ()
    problems: tuple[int, ...] = ()
    status: int = 200
    also: Mapping[int, str] = field(default_factory=dict)
    who: str = EVERY_DEVICE


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _list_of(schema: Schema, **more: Schema) -> Schema:
    properties = {
        "results": {"type": "array", "items": schema},
        "next": {"type": ["string", "null"], "format": "uri", "description": "address of the next page"},
    } | more
    return {"type": "object", "properties": properties, "required": list(properties)}


_INSTANT: Schema = {"type": "string", "format": "date-time"}
_YES_NO: Schema = {"type": "string", "enum": ["0", "1"]}
_PAGING = (
    Parameter("cursor", "where the page before ended; opaque"),
    Parameter(
        "limit",
        f"rows in a page, {LIMIT} if not given",
        {"type": "integer", "minimum": 1, "maximum": MOST_LIMIT},
    ),
)
_OPEN = Parameter("open", "1: only those that are not closed", _YES_NO)
_IF_MATCH = (
    Parameter("If-Match", "header: write only if this is still the version (its ETag)"),
    Parameter("If-None-Match", "header: `*` writes only what is new"),
)
_ERP_MEMBERS: Schema = {"plant": {"type": "string"}, "version": {"type": "integer"}}
# What an answer shows beyond what a PUT takes.
_SHOWN: dict[str, tuple[type, Schema]] = {
    "Part": (PartRow, _ERP_MEMBERS),
    "Supplier": (SupplierRow, _ERP_MEMBERS),
    "Area": (AreaRow, {"plant": {"type": "string"}}),
    "Station": (StationRow, _ERP_MEMBERS),
    "Bill": (BillRow, {"plant": {"type": "string"}}),
    "Loop": (
        LoopRow,
        _ERP_MEMBERS | {"revision": {"type": "integer"}, "hold_reason": {"type": "string"}},
    ),
}
_EVENT_PAGE = _list_of(
    _ref("FeedEvent"), cursor={"type": "string", "description": "go on from here, now or later"}
)
_BATCH: Schema = {
    "type": "object",
    "properties": {"scans": {"type": "array", "items": _ref("ScanBody"), "maxItems": 500}},
    "required": ["scans"],
}
_BATCH_ANSWER: Schema = {
    "type": "object",
    "properties": {
        "results": {"type": "array", "items": {"anyOf": [_ref("ScanAnswer"), _ref("ProblemShape")]}}
    },
    "required": ["results"],
}
_UPSERTS: Schema = {
    "type": "object",
    "properties": {
        "upserts": {
            "type": "array",
            "maxItems": 5_000,
            "items": {
                "type": "object",
                "description": "`type` and the members of that thing's PUT",
                "properties": {"type": {"enum": ["area", "supplier", "station", "part", "bill", "loop"]}},
                "required": ["type"],
            },
        }
    },
    "required": ["upserts"],
}


def _thing(path: str, key: str, name: str, row: type) -> tuple[Operation, Operation]:
    word, address = name.lower(), f"/{path}/{{{key}}}"
    return (
        Operation(
            "get",
            address,
            f"One {word}",
            "Things",
            _ref(name),
            parameters=(Parameter("If-None-Match", "header: 304 if this is still the version"),),
            problems=(404,),
            also={304: "Not changed."},
        ),
        Operation(
            "put",
            address,
            f"Make or change a {word}; members left out keep their value",
            "Things",
            _ref(name),
            row,
            _IF_MATCH,
            (400, 403, 409, 412, 413, 415, 422),
            also={201: "Made."},
            who=ERP_ONLY,
        ),
    )


def _things(path: str, name: str) -> Operation:
    return Operation("get", f"/{path}", f"All {path}", "Things", _list_of(_ref(name)), None, _PAGING, (400,))


_STATION = Parameter("station", "code of the supply station")
_LOOP = Parameter("loop", "code of a loop")
OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "post",
        "/scans",
        "One scan; the same id again gives the first answer",
        "Scans",
        ScanAnswer,
        ScanBody,
        (),
        (400, 409, 413, 422, 429),
    ),
    Operation(
        "post",
        "/scans/batch",
        "Up to 500 scans; one bad item costs no other",
        "Scans",
        _BATCH_ANSWER,
        _BATCH,
        (),
        (400, 413, 422, 429),
    ),
    Operation(
        "get",
        "/scans/parked",
        "Scans that wait for a person, and codes that nobody knew: both stories, and the ways to settle them",
        "Tray",
        _list_of(_ref("ParkedScan")),
        None,
        _PAGING,
        (400,),
    ),
    Operation(
        "post",
        "/scans/{id}/settle",
        "A leader, planner or administrator settles a waiting scan; its first answer stays",
        "Tray",
        Settled,
        SettleBody,
        (Parameter("Idempotency-Key", "header: the same key again gets the first answer"),),
        (400, 403, 404, 409, 413, 415, 422),
    ),
    *_thing("parts", "number", "Part", PartRow),
    _things("parts", "Part"),
    *_thing("areas", "code", "Area", AreaRow),
    _things("areas", "Area"),
    *_thing("stations", "code", "Station", StationRow),
    _things("stations", "Station"),
    *_thing("loops", "code", "Loop", LoopRow),
    _things("loops", "Loop"),
    *_thing("suppliers", "code", "Supplier", SupplierRow),
    _things("suppliers", "Supplier"),
    *_thing("bills", "part", "Bill", BillRow),
    Operation(
        "post",
        "/upserts",
        "Up to 5,000 rows of all kinds; right rows are written, wrong ones say why",
        "Things",
        UpsertAnswer,
        _UPSERTS,
        (
            Parameter("dry_run", "1: say what would change, change nothing", _YES_NO),
            Parameter("all_or_nothing", "1: one wrong row stops all", _YES_NO),
        ),
        (400, 403, 413, 415, 422),
        who=ERP_ONLY,
    ),
    Operation("get", "/cards", "Cards", "Pull", _list_of(_ref("CardFacts")), None, (_LOOP, *_PAGING), (400,)),
    Operation("get", "/cards/{code}", "The card behind a code", "Pull", CardFacts, problems=(404,)),
    Operation(
        "get",
        "/turns",
        "Turns",
        "Pull",
        _list_of(_ref("TurnFacts")),
        None,
        (_OPEN, _STATION, *_PAGING),
        (400,),
    ),
    Operation("get", "/turns/{id}", "One turn", "Pull", TurnFacts, problems=(404,)),
    Operation(
        "get",
        "/turns/{id}/chain",
        "The pull chain: up to raw material, down to the customer",
        "Pull",
        Chain,
        parameters=(Parameter("direction", "both if not given", {"enum": ["up", "down", "both"]}),),
        problems=(400, 404),
    ),
    Operation(
        "post",
        "/turns/{id}/{verb}",
        "What a supplier, buyer, dock or station does to a turn; answered like a scan",
        "Acts",
        ScanAnswer,
        TurnActBody,
        (Parameter("Idempotency-Key", "header: the same key again gets the first answer"),),
        (400, 404, 409, 415, 422),
    ),
    Operation(
        "post",
        "/turns/{id}/document",
        "The number of the ERP's document; the signal that waited for it goes out",
        "Acts",
        TurnFacts,
        DocumentBody,
        (),
        (400, 403, 404, 409, 415, 422),
        who=ERP_ONLY,
    ),
    Operation(
        "get",
        "/turns/{id}/document",
        "How far the document is that the ERP is asked for: attempts, the last problem, the next call",
        "Acts",
        RequestFacts,
        problems=(404,),
    ),
    Operation(
        "post",
        "/turns/{id}/retry-document",
        "What the ERP refused was mended: it is asked for the document again",
        "Acts",
        RequestFacts,
        None,
        (),
        (403, 404, 409),
        who=ERP_ONLY,
    ),
    Operation(
        "post",
        "/turns/{id}/fail",
        "The order is closed or cancelled in the ERP: the card stands in ERROR until the buyer has put it right",
        "Acts",
        TurnFacts,
        FailureBody,
        (),
        (400, 403, 404, 409, 415, 422),
        who=ERP_ONLY,
    ),
    Operation(
        "post",
        "/loops/{code}/{act}",
        "Hold, resume, change or order: `hold` takes a reason, `change` cards, quantity and perhaps effective_at,"
        " `order` a quantity",
        "Acts",
        ActAnswer,
        {"anyOf": [_ref("HoldBody"), _ref("LoopChangeBody"), _ref("OrderBody")]},
        (),
        (400, 403, 404, 409, 415, 422),
        who=ERP_ONLY,
    ),
    Operation(
        "get", "/runouts", "Runouts", "Pull", _list_of(_ref("RunoutFacts")), None, (_OPEN, *_PAGING), (400,)
    ),
    Operation(
        "get",
        "/attempts",
        "Attempts to make what nobody had asked for: refused, and kept (rule C5)",
        "Pull",
        _list_of(_ref("AttemptFacts")),
        None,
        (Parameter("station", "code of the station where it was tried"), *_PAGING),
        (400,),
    ),
    Operation(
        "get",
        "/waits",
        "Waits, each cut among the states of the station it waits for; an open one with the reason of now",
        "Pull",
        _list_of(_ref("WaitFacts")),
        None,
        (_OPEN, *_PAGING),
        (400,),
    ),
    Operation(
        "get",
        "/waits/summary",
        "All waiting of a window in minutes by reason; the reasons add up to all of it",
        "Pull",
        WaitSummary,
        parameters=(
            _STATION,
            Parameter("area", "code of an area"),
            Parameter("from", "beginning of the window; a day before `to` if not given", _INSTANT),
            Parameter("to", "end of the window; now if not given. At most 92 days", _INSTANT),
        ),
        problems=(400,),
    ),
    Operation(
        "get",
        "/stations/{code}/states",
        "What the station stands still for now",
        "Calls",
        StationStanding,
        problems=(404,),
    ),
    Operation(
        "post",
        "/stations/{code}/states",
        "The station stands still: from now on, since `began_at`, or, told late, until `ended_at`",
        "Calls",
        StationStanding,
        StateBody,
        (),
        (400, 403, 409, 422),
    ),
    Operation(
        "post",
        "/stations/{code}/states/{kind}/end",
        "The station works again; `kind` is down, no_operator or planned_stop",
        "Calls",
        StationStanding,
        StateEndBody,
        (),
        (400, 403, 409, 422),
    ),
    Operation(
        "get",
        "/calls",
        "Calls for help",
        "Calls",
        _list_of(_ref("CallFacts")),
        None,
        (_OPEN, Parameter("station", "code of a station"), *_PAGING),
        (400,),
    ),
    Operation(
        "post",
        "/calls",
        "Call for help; while `stops_line`, nothing is started at the station",
        "Calls",
        CallFacts,
        CallBody,
        (Parameter("Idempotency-Key", "header: the same key again is the same call"),),
        (400, 403, 409, 422),
    ),
    Operation(
        "get", "/calls/{id}", "One call: how far it is, who must come", "Calls", CallFacts, problems=(404,)
    ),
    Operation(
        "post",
        "/calls/{id}/take",
        "Somebody has it: the climbing stops, the owner's clock begins",
        "Calls",
        CallFacts,
        TakeBody,
        (),
        (400, 404, 409, 422),
    ),
    Operation(
        "post",
        "/calls/{id}/solve",
        "The call is over: its reason, and what keeps it from coming back",
        "Calls",
        CallFacts,
        SolveBody,
        (),
        (400, 404, 422),
    ),
    Operation(
        "get",
        "/stations/{code}/changeovers",
        "The changeover under way; newest and median minutes per part family",
        "Calls",
        StationChangeovers,
        problems=(404,),
    ),
    Operation(
        "post",
        "/stations/{code}/changeover",
        "Begin a changeover; again for the same family changes nothing",
        "Calls",
        StationChangeovers,
        ChangeoverBody,
        (),
        (400, 403, 409, 422),
    ),
    Operation(
        "post",
        "/stations/{code}/changeover/finish",
        "Finish the changeover under way",
        "Calls",
        StationChangeovers,
        ByBody,
        (),
        (400, 403, 409, 422),
    ),
    Operation(
        "get",
        "/boards/{station}",
        "What a station must do next, and the cards it uses from",
        "Pull",
        StationFacts,
        problems=(404,),
    ),
    Operation(
        "get",
        "/events",
        "The ledger; go on from the last cursor and you miss nothing",
        "Events",
        _EVENT_PAGE,
        None,
        (Parameter("cursor", "the `cursor` of the page before; `now` begins with what comes"), _PAGING[1]),
        (400,),
    ),
    Operation("get", "/openapi.json", "This description", "About", {"type": "object"}, who=ANYBODY),
)
_WORDS_IN_PATHS = {"verb": VERBS, "act": ("hold", "resume", "change", "order")}
_ALWAYS = (401, 405, 503)
# REST framework's doors ask for JSON and count requests; the scan doors do neither.
_BESIDE_SCANS = (406, 429)


def document() -> Schema:
    """The OpenAPI 3.1 document."""
    types = [
        *(operation.answer for operation in OPERATIONS if isinstance(operation.answer, type)),
        *(operation.body for operation in OPERATIONS if isinstance(operation.body, type)),
        *(DocumentOrder, DocumentNumber),
        *(FeedEvent, CardFacts, TurnFacts, RunoutFacts, AttemptFacts, WaitFacts, ParkedScan, ProblemShape),
    ]
    types = list(dict.fromkeys([*types, HoldBody, LoopChangeBody, OrderBody]))
    _, components = msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
    _mark_instants(types, components)
    for name, (row, more) in _SHOWN.items():
        schema = dict(components[row.__name__]) | {"title": name}
        schema["properties"] = dict(schema["properties"]) | more
        schema.pop("additionalProperties", None)
        components[name] = schema
    components["ScanBody"]["properties"]["intent"] = {
        "enum": [*(intent.value for intent in Intent), None],
        "description": "without it: the station's, else what fits the card",
    }
    components["FeedEvent"]["properties"]["type"] = {"type": "string", "examples": sorted(EVENT_TYPES)}
    paths: dict[str, Schema] = {}
    for operation in OPERATIONS:
        paths.setdefault(BASE + operation.path, {})[operation.method] = _operation(operation)
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
        "webhooks": _calls_to_the_erp(),
        "components": {
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "manage.py api_token NAME --kind erp",
                }
            },
            "schemas": components,
            "responses": {str(status): _problem_response(status) for status in sorted(_statuses())},
        },
    }


def _calls_to_the_erp() -> Schema:
    """What this side calls: the outbound half of the contract with an ERP (docs/api.md)."""
    text: Schema = {"type": "string"}
    headers: list[Schema] = [
        {"name": name, "in": "header", "required": True, "description": meaning, "schema": text}
        for name, meaning in (
            ("Idempotency-Key", "the turn's id: the same key is the same document, however often it is sent"),
            ("webhook-id", "names the message; a repeat has the same"),
            ("webhook-timestamp", "seconds since 1970, of this attempt"),
            ("webhook-signature", "Standard Webhooks: `v1,` and the base64 HMAC-SHA256 of id.timestamp.body"),
        )
    ]
    refused = {
        "400": {"description": "The data is wrong; so do 409 and 422 say. `detail` is shown to the buyer."},
        "default": {"description": "Asked again: after Retry-After, or after a pause that grows."},
    }
    return {
        "documentWanted": {
            "post": {
                "operationId": "document_wanted",
                "summary": "A turn needs a document; sent to the address of the plant's ERP",
                "tags": ["ERP"],
                "security": [],
                "parameters": headers,
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": _ref("DocumentOrder")}},
                },
                "responses": {
                    "201": {
                        "description": "Made now, or before under the same key.",
                        "content": {"application/json": {"schema": _ref("DocumentNumber")}},
                    },
                    "202": {"description": "Taken; asked again in a minute, or POST /turns/{id}/document."},
                    **refused,
                },
            }
        },
        "documentCancelled": {
            "delete": {
                "operationId": "document_cancelled",
                "summary": "The turn was cancelled: its document must go; sent to the address with /{turn} behind it",
                "tags": ["ERP"],
                "security": [],
                "parameters": headers,
                "responses": {
                    "204": {"description": "Gone; 404 and 410 mean the same."},
                    **refused,
                },
            }
        },
    }


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


def operation_id(operation: Operation) -> str:
    """A name for generated clients: get_parts_number."""
    words = operation.path.replace("{", "").replace("}", "").replace(".", "_").split("/")
    return "_".join([operation.method, *(word.replace("-", "_") for word in words if word)])


def codes_of(status: int) -> list[tuple[str, str]]:
    """The codes that come with a status, and what they mean."""
    return [(code, meaning) for code, (its, meaning) in CODES.items() if its == status]


def problems_of(operation: Operation) -> list[int]:
    """Every status beside success that the operation can answer."""
    if operation.who == ANYBODY:
        return [405]
    beside = () if operation.group == "Scans" else _BESIDE_SCANS
    return sorted({*operation.problems, *_ALWAYS, *beside})


def _operation(operation: Operation) -> Schema:
    content = {"application/json": {"schema": _schema(operation.answer)}}
    responses: Schema = {str(operation.status): {"description": "Done.", "content": content}}
    for status, text in operation.also.items():
        responses[str(status)] = {"description": text} | ({"content": content} if status == 201 else {})
    for status in problems_of(operation):
        responses[str(status)] = {"$ref": f"#/components/responses/{status}"}
    described: Schema = {
        "operationId": operation_id(operation),
        "summary": operation.summary,
        "description": f"For {operation.who}.",
        "tags": [operation.group],
        "parameters": [
            *(
                {"name": name, "in": "path", "required": True, "schema": _path_schema(name)}
                for name in _names(operation.path)
            ),
            *(
                {
                    "name": parameter.name,
                    "in": "header" if parameter.text.startswith("header: ") else "query",
                    "description": parameter.text.removeprefix("header: "),
                    "schema": parameter.schema,
                }
                for parameter in operation.parameters
            ),
        ],
        "responses": responses,
    }
    if operation.body is not None:
        described["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": _schema(operation.body)}},
        }
    if operation.who == ANYBODY:
        described["security"] = []
    return described


def _schema(shape: type | Schema) -> Schema:
    return _ref(shape.__name__) if isinstance(shape, type) else shape


def _names(path: str) -> list[str]:
    return [part[1:-1] for part in path.split("/") if part.startswith("{")]


def _path_schema(name: str) -> Schema:
    if name in _WORDS_IN_PATHS:
        return {"type": "string", "enum": list(_WORDS_IN_PATHS[name])}
    return {"type": "string", "format": "uuid"} if name == "id" else {"type": "string"}


def _statuses() -> set[int]:
    return {status for operation in OPERATIONS for status in problems_of(operation)}


def _problem_response(status: int) -> Schema:
    meanings = "; ".join(f"`{code}`: {meaning}" for code, meaning in codes_of(status))
    return {"description": meanings, "content": {MEDIA_TYPE: {"schema": _ref("ProblemShape")}}}
