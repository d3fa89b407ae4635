"""Many rows of master data of all kinds at once; right rows are written, wrong rows say why."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from django.utils import timezone
from rest_framework.request import Request

from jitapp.api.endpoint import YES_NO, Endpoint, addresses, flag, operation
from jitapp.api.errors import Problem
from jitapp.api.master_data import GROUP, READ_ONLY, code_of, plant_named, refusal
from jitapp.api.operations import ERP_ONLY, Parameter
from jitapp.plant.exactjson import Path
from jitapp.plant.models import Plant
from jitapp.plant.shopfile import FORMAT, KEYS
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
STATUSES = ("created", "changed", "unchanged", "skipped", "error")


class UpsertRow(msgspec.Struct):
    """`type` and the members of that kind's PUT."""

    type: Literal["area", "supplier", "station", "part", "bill", "loop"]


class UpsertBody(msgspec.Struct):
    """Rows in any order."""

    upserts: Annotated[list[UpsertRow], msgspec.Meta(max_length=MOST_ROWS)]


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


class Upserts(Endpoint):
    """Up to 5,000 rows of all kinds; right rows are written, wrong rows say why."""

    path, url_name, group = "upserts", "upserts", GROUP

    @operation(
        f"Up to {MOST_ROWS:,} rows of all kinds; right rows are written, wrong ones say why",
        answer=UpsertAnswer,
        unchecked=UpsertBody,
        parameters=(
            Parameter("dry_run", "1: say what would change, change nothing", YES_NO),
            Parameter("all_or_nothing", "1: one wrong row stops all", YES_NO),
        ),
        problems=(409,),
        who=ERP_ONLY,
    )
    def post(self, request: Request, body: dict[str, object]) -> UpsertAnswer:
        """`{"upserts": [{"type": "part", "number": "X"}, ...]}`; `?dry_run=1`, `?all_or_nothing=1`."""
        dry_run, whole = flag(request, "dry_run"), flag(request, "all_or_nothing")
        rows = body.get("upserts")
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
                raise refusal(error)
        return sorting.answer(done, dry_run=dry_run, whole=whole)


class _Sorting:
    """Mixed rows into a shop document, and what became of each back into their order."""

    def __init__(self, plant_ids: frozenset[int]) -> None:
        self.codes = list(
            Plant.objects.filter(pk__in=plant_ids).order_by("code").values_list("code", flat=True)
        )
        self.rows: list[tuple[str, str]] = []
        self.lists: dict[str, dict[str, list[object]]] = {
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
        plant = plant_named(row.get("plant"), self.codes)
        if known is None:
            self.unsorted[number] = ("field_unreadable", f"`type` is one of {', '.join(KINDS)}.")
        elif plant is None:
            self.unsorted[number] = ("unknown_reference", "`plant` must name a plant of this token.")
        else:
            for name in READ_ONLY:
                row.pop(name, None)
            of_kind = self.lists[plant][known]
            self.places["plants", self.codes.index(plant), known, len(of_kind)] = number
            of_kind.append(row)

    def document(self) -> dict[str, object]:
        """The shop document; every plant of the token stands in it, touched or not."""
        return {"shop": FORMAT, "plants": [{"code": code} | lists for code, lists in self.lists.items()]}

    def answer(self, done: SetUp, *, dry_run: bool, whole: bool) -> UpsertAnswer:
        """Row-level results in the order of the request."""
        results = [
            UpsertResult(number, kind, key, "unchanged") for number, (kind, key) in enumerate(self.rows)
        ]
        wrong: dict[int, tuple[str, str]] = {}
        for error in done.report.errors:  # a row may have several: the first one's code, and what all say
            code, said = wrong.get(place := self.places[error.path], (code_of(error), ""))
            wrong[place] = code, f"{said} {error.message}".lstrip()
        wrong |= self.unsorted
        for loaded in done.report.rows:
            if loaded.path in self.places:
                result = results[self.places[loaded.path]]
                result.status = loaded.status
                if loaded.changes:
                    result.changes = {name: list(pair) for name, pair in loaded.changes.items()}
        if whole and wrong:
            for result in results:
                result.status = "skipped"
        for number, (code, message) in wrong.items():
            results[number].status, results[number].code, results[number].message = "error", code, message
        counts = {status: sum(result.status == status for result in results) for status in STATUSES}
        return UpsertAnswer(
            dry_run=dry_run, **counts, cards=done.cards, notes=done.report.notes, results=results
        )


ADDRESSES = addresses(Upserts)
