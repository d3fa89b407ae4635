"""Master data over the API: read one, put one on its natural key, or send up to 5,000 of all kinds at once.

A PUT names what shall be true; members that are left out keep their value, so that the same PUT twice is the same
as once. `ETag` is the version read, `If-Match` lets only one of two writers through.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, ClassVar

import msgspec
from django.db import models
from django.http import Http404
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from jitapp.api.endpoint import Endpoint, flag, paged
from jitapp.api.errors import CODES, Problem
from jitapp.kanban.state import text
from jitapp.plant.exactjson import Path
from jitapp.plant.loading import Problem as RowProblem
from jitapp.plant.loading import Report
from jitapp.plant.masters.loops import LOOPS
from jitapp.plant.models import Area, BillOfMaterials, Loop, Part, Plant, StandardWork, Station, Supplier
from jitapp.plant.shopfile import FORMAT, KEYS
from jitapp.pull.reading.lists import Page, cards_per_loop
from jitapp.pull.setup import SetUp, set_up_shop

MOST_ROWS = 5_000
# Types of rows in `upserts` and the list of a shop file that they belong to.
KINDS = {
    "area": "areas",
    "supplier": "suppliers",
    "station": "stations",
    "part": "parts",
    "bill": "bills",
    "loop": "loops",
}
# Members of an answer that a PUT of the same body may bring back.
READ_ONLY = ("plant", "version", "revision", "hold_reason")
Body = dict[str, Any]


class Thing(Endpoint):
    """One kind of master data under /api/v1/<list>/<key>."""

    kind: ClassVar[str]
    model: ClassVar[type[models.Model]]
    key_name: ClassVar[str] = "code"
    related: ClassVar[tuple[str, ...]] = ("plant",)

    def get(self, request: Request, key: str) -> Response:
        """The thing with its version as ETag; 304 for a reader who has it."""
        body = self.read(key)
        if body is None:
            raise Http404
        tag = etag(body)
        if tag in _tags(request, "If-None-Match"):
            return Response(status=304, headers={"ETag": tag})
        return Response(body, headers={"ETag": tag})

    def put(self, request: Request, key: str) -> Response:
        """201 for a new thing, 200 for one that was there; the answer is what stands now."""
        row = _row(request.data)
        key_name = KEYS.get(self.kind, "code")
        if row.setdefault(key_name, key) != key:
            raise Problem(422, "field_unreadable", f"`{key_name}` differs from the address: {key}.")
        plant = self.plant_of(row)
        for name in READ_ONLY:
            row.pop(name, None)
        done = set_up_shop(
            {"shop": FORMAT, "plants": [{"code": plant, self.kind: [row]}]},
            now=timezone.now(),
            plant_ids=self.plants(),
            precondition=self.precondition(request, key),
            source=self.source(),
        )
        if done.report.errors:
            raise _refusal(done.report.errors[0])
        body = self.read(key)
        assert body is not None
        created = any(loaded.kind == self.kind and loaded.status == "created" for loaded in done.report.rows)
        return Response(body, status=201 if created else 200, headers={"ETag": etag(body)})

    def read(self, key: str) -> Body | None:
        """The thing as the API shows it; None if this token may not see it."""
        found = self.model._default_manager.filter(**{self.key_name: key, "plant__in": self.plants()})
        bodies = self.bodies(list(found.select_related(*self.related)))
        return bodies[0] if bodies else None

    def bodies(self, rows: list[Any]) -> list[Body]:
        """The rows as the API shows them."""
        raise NotImplementedError

    def plant_of(self, row: Body) -> str:
        """The plant that a row belongs to: the token's own, or the one it names."""
        codes = list(Plant.objects.filter(pk__in=self.plants()).values_list("code", flat=True))
        named = row.get("plant")
        if named is None and len(codes) == 1:
            return codes[0]
        if named not in codes:
            raise Problem(422, "unknown_reference", "`plant` must name a plant of this token.")
        return str(named)

    def precondition(self, request: Request, key: str) -> Callable[[], None]:
        """Asked while nobody else can write: If-Match and If-None-Match hold, or nothing is written."""
        wanted, unwanted = _tags(request, "If-Match"), _tags(request, "If-None-Match")

        def check() -> None:
            if not wanted and not unwanted:
                return
            body = self.read(key)
            tag = etag(body) if body is not None else None
            if (wanted and tag is None) or (wanted and "*" not in wanted and tag not in wanted):
                raise Problem(
                    412, "precondition_failed", "This is no longer the version that If-Match names."
                )
            if tag is not None and ("*" in unwanted or tag in unwanted):
                raise Problem(
                    412, "precondition_failed", "If-None-Match says it must not exist, but it does."
                )

        return check


class ThingList(Endpoint):
    """All things of a kind, page by page."""

    thing: ClassVar[type[Thing]]

    def get(self, request: Request) -> Response:
        """In the order of their making."""
        thing = self.thing()

        def read(after: int, limit: int) -> Page:
            rows = thing.model._default_manager.filter(plant__in=self.plants(), pk__gt=after)
            found = list(rows.select_related(*thing.related).order_by("pk")[: limit + 1])
            shown = found[:limit]
            return Page(thing.bodies(shown), shown[-1].pk if len(found) > limit else None)

        return paged(request, read)


class OnePart(Thing):
    """A part by its number."""

    kind, model, key_name = "parts", Part, "number"

    def bodies(self, rows: list[Part]) -> list[Body]:
        """Members as in a shop file, with plant and version."""
        work: dict[int, dict[str, str]] = {}
        for line in (
            StandardWork.objects.filter(part__in=rows).select_related("station").order_by("station__code")
        ):
            work.setdefault(line.part_id, {})[line.station.code] = line.url
        return [
            {
                "number": row.number,
                "description": row.description,
                "unit": row.unit,
                "decimals": row.decimals,
                "gtin": row.gtin or None,
                "standard_work": work.get(row.pk, {}),
                "plant": row.plant.code,
                "version": row.version,
            }
            for row in rows
        ]


class OneSupplier(Thing):
    """A supplier by its code."""

    kind, model, related = "suppliers", Supplier, ("plant", "calendar")

    def bodies(self, rows: list[Supplier]) -> list[Body]:
        """Members as in a shop file, with plant and version."""
        return [
            {
                "code": row.code,
                "name": row.name,
                "calendar": row.calendar.code if row.calendar else None,
                "ack_within_minutes": row.ack_within_minutes,
                "delivery_days": row.delivery_days,
                "plant": row.plant.code,
                "version": row.version,
            }
            for row in rows
        ]


class OneArea(Thing):
    """An area by its code."""

    kind, model, related = "areas", Area, ("plant", "leader", "receiving")

    def bodies(self, rows: list[Area]) -> list[Body]:
        """Members as in a shop file, with plant."""
        return [
            {
                "code": row.code,
                "name": row.name,
                "leader": row.leader.username if row.leader else None,
                "receiving": row.receiving.code if row.receiving else None,
                "escalation": row.escalation,
                "plant": row.plant.code,
            }
            for row in rows
        ]


class OneStation(Thing):
    """A station by its code."""

    kind, model, related = "stations", Station, ("plant", "area", "calendar", "supplier")

    def bodies(self, rows: list[Station]) -> list[Body]:
        """Members as in a shop file, with plant and version."""
        return [
            {
                "code": row.code,
                "name": row.name,
                "area": row.area.code if row.area else None,
                "kind": row.kind,
                "consumption": row.consumption,
                "wip_limit": row.wip_limit,
                "receiving_limit": row.receiving_limit,
                "default_intent": row.default_intent or None,
                "readiness_checks": row.readiness_checks,
                "keeps_sequence": row.keeps_sequence,
                "standard_work": row.standard_work or None,
                "calendar": row.calendar.code if row.calendar else None,
                "supplier": row.supplier.code if row.supplier else None,
                "position": row.position,
                "plant": row.plant.code,
                "version": row.version,
            }
            for row in rows
        ]


class OneLoop(Thing):
    """A loop by its code; `cards` counts when the loop is new."""

    kind, model, related = "loops", Loop, ("plant", "part", "demand", "supply")

    def bodies(self, rows: list[Loop]) -> list[Body]:
        """Members as in a shop file, with plant, status, revision and version."""
        counts = cards_per_loop([row.pk for row in rows])
        return [
            LOOPS.members(row)
            | {
                "hold_reason": row.hold_reason,
                "cards": counts.get(row.pk, 0),
                "plant": row.plant.code,
                "revision": row.revision,
                "version": row.version,
            }
            for row in rows
        ]


class OneBill(Thing):
    """The bill of a part: what goes into one unit of it."""

    kind, model, key_name = "bills", Part, "number"

    def bodies(self, rows: list[Part]) -> list[Body]:
        """Lines in the order of the components' numbers."""
        lines: dict[int, list[Body]] = {row.pk: [] for row in rows}
        for line in (
            BillOfMaterials.objects.filter(parent__in=rows)
            .select_related("component")
            .order_by("component__number")
        ):
            lines[line.parent_id].append({"part": line.component.number, "quantity": text(line.quantity)})
        return [{"part": row.number, "components": lines[row.pk], "plant": row.plant.code} for row in rows]


class Parts(ThingList):
    """All parts."""

    thing = OnePart


class Suppliers(ThingList):
    """All suppliers."""

    thing = OneSupplier


class Areas(ThingList):
    """All areas."""

    thing = OneArea


class Stations(ThingList):
    """All stations."""

    thing = OneStation


class Loops(ThingList):
    """All loops."""

    thing = OneLoop


class Upserts(Endpoint):
    """Up to 5,000 rows of all kinds; right rows are written, wrong rows say why."""

    def post(self, request: Request) -> Response:
        """`{"upserts": [{"type": "part", "number": "X"}, ...]}`; `?dry_run=1`, `?all_or_nothing=1`."""
        dry_run, whole = flag(request, "dry_run"), flag(request, "all_or_nothing")
        rows = request.data.get("upserts") if isinstance(request.data, dict) else None
        if not isinstance(rows, list):
            raise Problem(400, "malformed", 'Send {"upserts": [{"type": "part", "number": "X"}, ...]}.')
        if len(rows) > MOST_ROWS:
            raise Problem(413, "too_many_rows", f"At most {MOST_ROWS} rows at once. Send the rest after.")
        sorting = _Sorting(self.plants())
        for row in rows:
            sorting.add(row)
        done = set_up_shop(
            sorting.document(),
            now=timezone.now(),
            dry_run=dry_run or (whole and bool(sorting.unsorted)),
            plant_ids=self.plants(),
            row_by_row=not whole,
            source=self.source(),
        )
        for error in done.report.errors:
            if error.path not in sorting.places:  # nothing was written: a circle, or a body of another shape
                raise _refusal(error)
        return Response(sorting.answer(done, dry_run=dry_run, whole=whole))


class _Sorting:
    """Mixed rows into a shop document, and what became of each back into their order."""

    def __init__(self, plant_ids: frozenset[int]) -> None:
        self.codes = list(
            Plant.objects.filter(pk__in=plant_ids).order_by("code").values_list("code", flat=True)
        )
        self.rows: list[tuple[str, str]] = []
        self.lists: dict[str, dict[str, list[Any]]] = {
            code: {kind: [] for kind in KINDS.values()} for code in self.codes
        }
        self.places: dict[Path, int] = {}
        self.unsorted: dict[int, tuple[str, str]] = {}

    def add(self, raw: object) -> None:
        """Puts a row into the list of its kind and plant, or notes why it cannot be."""
        number = len(self.rows)
        row = dict(raw) if isinstance(raw, dict) else {}
        kind = row.pop("type", None)
        known = KINDS.get(kind) if isinstance(kind, str) else None
        self.rows.append((str(kind or ""), str(row.get(KEYS.get(known or "", "code")) or "")))
        plant = row.get("plant", self.codes[0] if len(self.codes) == 1 else None)
        if known is None:
            self.unsorted[number] = ("field_unreadable", f"`type` is one of {', '.join(KINDS)}.")
        elif plant not in self.lists:
            self.unsorted[number] = ("unknown_reference", "`plant` must name a plant of this token.")
        else:
            for name in READ_ONLY:
                row.pop(name, None)
            of_kind = self.lists[plant][known]
            self.places["plants", self.codes.index(plant), known, len(of_kind)] = number
            of_kind.append(row)

    def document(self) -> Body:
        """The shop document; every plant of the token stands in it, touched or not."""
        return {"shop": FORMAT, "plants": [{"code": code} | lists for code, lists in self.lists.items()]}

    def answer(self, done: SetUp, *, dry_run: bool, whole: bool) -> Body:
        """Row-level results in the order of the request."""
        report: Report = done.report
        results: list[Body] = [
            {"row": number, "type": kind, "key": key, "status": "unchanged"}
            for number, (kind, key) in enumerate(self.rows)
        ]
        wrong = {
            self.places[error.path]: (_code(error), error.message) for error in report.errors
        } | self.unsorted
        for loaded in report.rows:
            place = self.places.get(loaded.path)
            if place is not None:
                results[place] |= {"status": loaded.status}
                if loaded.changes:
                    results[place]["changes"] = {name: list(pair) for name, pair in loaded.changes.items()}
        if whole and wrong:
            for result in results:
                result["status"] = "skipped"
        for number, (code, message) in wrong.items():
            results[number] |= {"status": "error", "code": code, "message": message}
        counts = {
            status: sum(result["status"] == status for result in results)
            for status in ("created", "changed", "unchanged", "skipped", "error")
        }
        return {"dry_run": dry_run, **counts, "cards": done.cards, "notes": report.notes, "results": results}


def etag(body: Body) -> str:
    """The version of a thing as it is shown; the same content has the same tag."""
    digest = hashlib.sha256(msgspec.json.encode(body, order="sorted")).hexdigest()[:20]
    return f'"{digest}"'


def _tags(request: Request, header: str) -> set[str]:
    return {
        tag.strip().removeprefix("W/") for tag in request.headers.get(header, "").split(",") if tag.strip()
    }


def _row(data: object) -> Body:
    if not isinstance(data, dict):
        raise Problem(400, "malformed", "Send one JSON object.")
    return dict(data)


def _code(error: RowProblem) -> str:
    return error.code if error.code in CODES and error.code != "malformed" else "field_unreadable"


def _refusal(error: RowProblem) -> Problem:
    code = _code(error)
    return Problem(CODES[code][0], code, error.message)
