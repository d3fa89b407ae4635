"""Master data over the API: read one, put one on its natural key, list them.

A PUT names what shall be true; members that are left out keep their value, so that the same PUT twice is the same
as once. `ETag` is the version read, `If-Match` lets only one of two writers through.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import msgspec
from django.db import models
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from jitapp.api import shown
from jitapp.api.endpoint import PAGING, Endpoint, Rows, addresses, operation, or_404, paged
from jitapp.api.errors import CODES, Problem
from jitapp.api.operations import ERP_ONLY, Operation, Parameter
from jitapp.kanban.names import folded, tidy
from jitapp.plant.loading import Problem as RowProblem
from jitapp.plant.models import Area, BillOfMaterials, Loop, Part, Plant, StandardWork, Station, Supplier
from jitapp.plant.shopfile import FORMAT, AreaRow, BillRow, LoopRow, PartRow, StationRow, SupplierRow
from jitapp.pull.reading.lists import Page, sizes_of
from jitapp.pull.setup import set_up_shop

# Members of an answer that a PUT of the same body may bring back.
READ_ONLY = ("plant", "version", "revision", "hold_reason")
GROUP = "Master data"


def _put_body(row: type[msgspec.Struct], key: str) -> type[msgspec.Struct]:
    """The shape of what a PUT reads: the row, whose key the address gives already, and what an answer holds besides."""
    members: list[tuple[str, Any, Any]] = []
    for each in msgspec.structs.fields(row):
        optional = each.name == key or not each.required
        type_ = each.type | msgspec.UnsetType if each.name == key else each.type
        members.append((each.name, type_, msgspec.UNSET if optional else msgspec.NODEFAULT))
    members.append(("plant", str | msgspec.UnsetType, msgspec.UNSET))
    known = {name for name, _, _ in members}
    members += [(name, Any, msgspec.UNSET) for name in READ_ONLY if name not in known]
    return msgspec.defstruct(
        f"{row.__name__.removesuffix('Row')}Body",
        members,
        forbid_unknown_fields=True,
        kw_only=True,
        namespace={"__doc__": row.__doc__},
    )


class MasterData(Endpoint):
    """One kind of master data under /api/v1/<list>/<key>.

    A kind names its list in a shop file, its row there, its shape in an answer and its model; `column` is the
    model's field that has the key, `key` the row's member, `related` what is read together with it.
    """

    group = GROUP
    kind: ClassVar[str]
    row: ClassVar[type[msgspec.Struct]]
    shape: ClassVar[type[msgspec.Struct]]
    model: ClassVar[type[models.Model]]
    key: ClassVar[str] = "code"
    column: ClassVar[str] = "code"
    related: ClassVar[tuple[str, ...]] = ("plant",)

    @classmethod
    def describe(cls, operation: Operation) -> Operation:
        """With the types of the kind."""
        body = None if operation.body is None else _put_body(cls.row, cls.key)
        word = cls.shape.__name__.lower()
        return replace(operation, summary=operation.summary.format(word), answer=cls.shape, body=body)

    @operation(
        "One {}",
        answer=msgspec.Struct,
        parameters=(Parameter("If-None-Match", "304 if this is still the version", place="header"),),
        problems=(404,),
        also={304: "Not changed."},
    )
    def get(self, request: Request, /, **place: str) -> Response:
        """The row with its version as ETag; 304 for a reader who has it."""
        body = or_404(self.read(place[self.key]))
        tag = etag(body)
        if tag in _tags(request, "If-None-Match"):
            return Response(status=304, headers={"ETag": tag})
        return Response(body, headers={"ETag": tag})

    @operation(
        "One {}, made or changed; members left out keep their value",
        answer=msgspec.Struct,
        unchecked=msgspec.Struct,
        parameters=(
            Parameter("If-Match", "write only if this is still the version (its ETag)", place="header"),
            Parameter("If-None-Match", "`*` writes only what is new", place="header"),
        ),
        problems=(409, 412),
        also={201: "Made."},
        who=ERP_ONLY,
    )
    def put(self, request: Request, row: dict[str, object], /, **place: str) -> Response:
        """201 for a new row, 200 for one that was there; the answer is what stands now."""
        key = place[self.key]
        named = row.get(self.key, key)
        if not isinstance(named, str) or self.meant(request, {self.key: named})[self.key] != key:
            raise Problem(422, "field_unreadable", f"`{self.key}` differs from the address: {key}.")
        row[self.key] = key
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
            raise refusal(done.report.errors[0])
        if done.refused:
            raise Problem(409, "refused", f"{done.refused[0]} What else the body says was written.")
        body = self.read(key)
        assert body is not None
        created = any(loaded.kind == self.kind and loaded.status == "created" for loaded in done.report.rows)
        return Response(body, status=201 if created else 200, headers={"ETag": etag(body)})

    def meant(self, request: Request, places: Mapping[str, Any]) -> dict[str, Any]:
        """A PUT names what it makes as it is kept: another spelling would be a twin, which is refused. The part of a
        bill is there already."""
        if request.method == "PUT" and self.kind != "bills":
            return {name: tidy(written) for name, written in places.items()}
        return super().meant(request, places)

    def read(self, key: str) -> msgspec.Struct | None:
        """The row as the API shows it; None if this token may not see it."""
        found = self.model._default_manager.filter(**{self.column: key, "plant__in": self.plants()})
        bodies = self.bodies(list(found.select_related(*self.related)))
        return bodies[0] if bodies else None

    def bodies(self, rows: list[Any]) -> list[msgspec.Struct]:
        """The rows as the API shows them."""
        raise NotImplementedError

    def plant_of(self, row: dict[str, object]) -> str:
        """The plant that a row belongs to: the token's own, or the one it names."""
        codes = list(Plant.objects.filter(pk__in=self.plants()).values_list("code", flat=True))
        found = plant_named(row.get("plant"), codes)
        if found is None:
            raise Problem(422, "unknown_reference", "`plant` must name a plant of this token.")
        return found

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


class MasterDataList(Endpoint):
    """All rows of a kind, page by page."""

    group = GROUP
    of: ClassVar[type[MasterData]]

    @classmethod
    def describe(cls, operation: Operation) -> Operation:
        """With the type of the kind."""
        shape: Any = cls.of.shape
        return replace(operation, summary=operation.summary.format(cls.of.kind), answer=Rows[shape])

    @operation("All {}", answer=Rows[msgspec.Struct], parameters=PAGING)
    def get(self, request: Request) -> Rows[msgspec.Struct]:
        """In the order of their making."""
        one = self.of()

        def read_page(after: int, limit: int) -> Page:
            rows = one.model._default_manager.filter(plant__in=self.plants(), pk__gt=after)
            found = list(rows.select_related(*one.related).order_by("pk")[: limit + 1])
            page = found[:limit]
            return Page(one.bodies(page), page[-1].pk if len(found) > limit else None)

        return paged(request, read_page)


class OnePart(MasterData):
    """A part by its number."""

    path, url_name = "parts/<text:number>", "part"
    kind, row, shape, model, key, column = "parts", PartRow, shown.Part, Part, "number", "number"

    def bodies(self, rows: list[Part]) -> list[msgspec.Struct]:
        """With the standard work at each station that makes it."""
        work: dict[int, dict[str, str]] = {}
        for line in (
            StandardWork.objects.filter(part__in=rows).select_related("station").order_by("station__code")
        ):
            work.setdefault(line.part_id, {})[line.station.code] = line.url
        return [shown.part(row, work.get(row.pk, {})) for row in rows]


class OneSupplier(MasterData):
    """A supplier by its code."""

    path, url_name = "suppliers/<str:code>", "supplier"
    kind, row, shape, model, related = (
        "suppliers",
        SupplierRow,
        shown.Supplier,
        Supplier,
        ("plant", "calendar"),
    )

    def bodies(self, rows: list[Supplier]) -> list[msgspec.Struct]:
        """Each by itself."""
        return [shown.supplier(row) for row in rows]


class OneArea(MasterData):
    """An area by its code."""

    path, url_name = "areas/<str:code>", "area"
    kind, row, shape, model, related = "areas", AreaRow, shown.Area, Area, ("plant", "leader", "receiving")

    def bodies(self, rows: list[Area]) -> list[msgspec.Struct]:
        """Each by itself."""
        return [shown.area(row) for row in rows]


class OneStation(MasterData):
    """A station by its code."""

    path, url_name = "stations/<str:code>", "station"
    kind, row, shape, model = "stations", StationRow, shown.Station, Station
    related = ("plant", "area", "calendar", "supplier")

    def bodies(self, rows: list[Station]) -> list[msgspec.Struct]:
        """Each by itself."""
        return [shown.station(row) for row in rows]


class OneLoop(MasterData):
    """A loop by its code; `cards` counts when the loop is new."""

    path, url_name = "loops/<str:code>", "loop"
    kind, row, shape, model, related = (
        "loops",
        LoopRow,
        shown.Loop,
        Loop,
        ("plant", "part", "demand", "supply"),
    )

    def bodies(self, rows: list[Loop]) -> list[msgspec.Struct]:
        """With the number of cards."""
        counts = sizes_of([row.pk for row in rows])
        return [shown.loop(row, counts.get(row.pk, 0)) for row in rows]


class OneBill(MasterData):
    """The bill of a part: what goes into one unit of it."""

    path, url_name = "bills/<text:part>", "bill"
    kind, row, shape, model, key, column = "bills", BillRow, shown.Bill, Part, "part", "number"

    def bodies(self, rows: list[Part]) -> list[msgspec.Struct]:
        """Lines in the order of the components' numbers."""
        lines: dict[int, list[shown.Component]] = {row.pk: [] for row in rows}
        for line in (
            BillOfMaterials.objects.filter(parent__in=rows)
            .select_related("component")
            .order_by("component__number")
        ):
            lines[line.parent_id].append(shown.component(line))
        return [shown.bill(row, lines[row.pk]) for row in rows]


class Parts(MasterDataList):
    """All parts."""

    path, url_name, of = "parts", "parts", OnePart


class Suppliers(MasterDataList):
    """All suppliers."""

    path, url_name, of = "suppliers", "suppliers", OneSupplier


class Areas(MasterDataList):
    """All areas."""

    path, url_name, of = "areas", "areas", OneArea


class Stations(MasterDataList):
    """All stations."""

    path, url_name, of = "stations", "stations", OneStation


class Loops(MasterDataList):
    """All loops."""

    path, url_name, of = "loops", "loops", OneLoop


def plant_named(named: object, codes: Sequence[str]) -> str | None:
    """The code of the plant that a row names as people write it, or the only one; None for any other."""
    if named is None:
        return codes[0] if len(codes) == 1 else None
    return {folded(code): code for code in codes}.get(folded(named)) if isinstance(named, str) else None


def etag(body: msgspec.Struct) -> str:
    """The version of a row as it is shown; the same content has the same tag."""
    digest = hashlib.sha256(msgspec.json.encode(body, order="sorted")).hexdigest()[:20]
    return f'"{digest}"'


def code_of(error: RowProblem) -> str:
    """The API's code for what is wrong with a row."""
    return error.code if error.code in CODES and error.code != "malformed" else "field_unreadable"


def refusal(error: RowProblem) -> Problem:
    """The whole request is refused for this row."""
    code = code_of(error)
    return Problem(CODES[code][0], code, error.message)


def _tags(request: Request, header: str) -> set[str]:
    return {
        tag.strip().removeprefix("W/") for tag in request.headers.get(header, "").split(",") if tag.strip()
    }


ADDRESSES = addresses(
    OnePart,
    Parts,
    OneArea,
    Areas,
    OneStation,
    Stations,
    OneLoop,
    Loops,
    OneSupplier,
    Suppliers,
    OneBill,
)
