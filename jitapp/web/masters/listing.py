"""Lists of master data: search, filters, order, pages, and rows to tick for a change of many at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Page, Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_GET

from jitapp.kanban.names import folded
from jitapp.kanban.vocabulary import LoopStatus
from jitapp.plant.masters.bills import BILLS
from jitapp.plant.models import Plant
from jitapp.pull.reading.lists import sizes_of
from jitapp.web.leading import led_plants
from jitapp.web.masters.bulk import options
from jitapp.web.masters.drawing import MOST_OPTIONS, Option, options_of, said
from jitapp.web.masters.fields import Field, fields_of
from jitapp.web.masters.kinds import Kind, kind_named
from jitapp.web.masters.pages import PLANNERS, plants_seen
from jitapp.web.masters.words import label, word_of
from jitapp.web.visit import people

ON_A_PAGE = 50
LONGEST_SEARCH = 64


@dataclass(frozen=True, slots=True)
class Column:
    """The head of a column: its word, the address that orders by it, and how it is ordered now."""

    word: str
    href: str
    order: str  # ascending, descending or none
    amount: bool  # numbers stand under each other


@dataclass(frozen=True, slots=True)
class Line:
    """A row in the list; each cell with whether it is a number."""

    pk: int
    key: str
    href: str
    cells: list[tuple[str, bool]]
    state: str  # of a loop: its status, for its look


@dataclass(frozen=True, slots=True)
class Filter:
    """A choice above the list."""

    name: str
    word: str
    options: list[Option]


@require_GET
@people
def list_page(request: HttpRequest, kind: str) -> HttpResponseBase:
    """The rows of a kind in the viewer's plants."""
    found = kind_named(kind)
    plants = plants_seen(request)
    asked = {name: str(value).replace("\0", "")[:LONGEST_SEARCH] for name, value in request.GET.items()}
    everything = found.rows(plants)
    rows = _ordered(found, _filtered(found, everything, asked), asked.get("sort", ""))
    page = Paginator(rows, ON_A_PAGE).get_page(asked.get("page"))
    mine = led_plants(request, PLANNERS)
    context = {
        "kind": found,
        "title": gettext(found.title),
        "one": gettext(found.one),
        "says": gettext(found.says),
        "q": asked.get("q", ""),
        "filters": _filters(found, plants, asked),
        "columns": _columns(found, asked),
        "lines": _lines(found, page),
        "page": page,
        "count": ngettext("{} row", "{} rows", page.paginator.count).format(page.paginator.count),
        "before": _address(asked, page=str(page.number - 1)) if page.has_previous() else "",
        "after": _address(asked, page=str(page.number + 1)) if page.has_next() else "",
        "narrowed": any(asked.get(name) for name in ("q", *found.filters)),
        "nothing_at_all": not page.paginator.count and not everything.exists(),
        "plans": bool(mine),
        "bulk": options(found) if mine and found.master is not BILLS else [],
        "here": request.get_full_path(),
    }
    return render(request, "masters/list.html", context)


def _filtered(kind: Kind, rows: QuerySet[Any], asked: dict[str, str]) -> QuerySet[Any]:
    if kind.name == "loops" and not asked.get("status"):
        rows = rows.exclude(status=LoopStatus.RETIRED)
    for name in kind.filters:
        if value := asked.get(name):
            each = _field(kind, name)
            rows = rows.filter(**{f"{name}__{each.ref.key}" if each.ref else name: value})
    if wanted := folded(asked.get("q", "")):
        terms = [Q(**{f"{column}__icontains": wanted}) for column in kind.search]
        rows = rows.filter(reduce(or_, terms))
        if any("bill__" in column for column in kind.search):
            rows = rows.distinct()
    return rows


def _ordered(kind: Kind, rows: QuerySet[Any], sort: str) -> QuerySet[Any]:
    name, down = sort.removeprefix("-"), sort.startswith("-")
    column = kind.key
    if name in kind.columns and _sortable(kind, name):
        each = _field(kind, name)
        column = f"{name}__{each.ref.key}" if each.ref else kind.master.renamed.get(name, name)
    return rows.order_by(f"-{column}" if down else column, "pk")


def _sortable(kind: Kind, name: str) -> bool:
    if kind.master is BILLS:
        return True
    each = _field(kind, name)
    return each.widget not in ("table", "lines", "days", "needs") and name != "cards"


def _columns(kind: Kind, asked: dict[str, str]) -> list[Column]:
    sort = asked.get("sort", "")
    found = []
    for name in (kind.master.key, *kind.columns):
        first = name == kind.master.key
        now = sort.removeprefix("-") == name or (first and not sort)
        order = ("descending" if sort.startswith("-") else "ascending") if now else "none"
        href = ""
        if first or _sortable(kind, name):
            href = _address(asked, sort=f"-{name}" if order == "ascending" else name, page="")
        found.append(Column(label(kind.name, name), href, order, not first and _is_amount(kind, name)))
    return found


def _filters(kind: Kind, plants: Sequence[Plant], asked: dict[str, str]) -> list[Filter]:
    found = []
    for name in kind.filters:
        each, chosen = _field(kind, name), asked.get(name, "")
        if each.enum is not None:
            known = [(str(word), word_of(each.enum, str(word))) for word in each.enum]
        elif each.ref is not None:
            known = [pair for plant in plants for pair in options_of(each.ref, plant)][:MOST_OPTIONS]
        else:
            values = kind.rows(plants).order_by(name).values_list(name, flat=True).distinct()
            known = [(value, value) for value in values[:MOST_OPTIONS]]
        if chosen and chosen not in {value for value, _ in known}:
            known.append((chosen, chosen))
        every = gettext("All in use") if name == "status" else gettext("All")
        options = [Option("", every, not chosen)]
        found.append(
            Filter(name, label(kind.name, name), options + [Option(v, w, v == chosen) for v, w in known])
        )
    return found


def _lines(kind: Kind, page: Page[Any]) -> list[Line]:
    sizes = sizes_of([entry.pk for entry in page]) if kind.name == "loops" else {}
    found = []
    for entry in page:
        cells = []
        for name in kind.columns:
            if name == "cards":
                text = str(sizes.get(entry.pk, 0))
            elif kind.master is BILLS:
                text = str(entry.components)
            else:
                text = _cell(kind, entry, name)
            cells.append((text, _is_amount(kind, name)))
        href = f"/l/{entry.pk}/edit" if kind.name == "loops" else f"/plan/{kind.name}/{entry.pk}"
        state = entry.status if kind.name == "loops" else ""
        found.append(Line(entry.pk, kind.key_of(entry), href, cells, state))
    return found


def _is_amount(kind: Kind, name: str) -> bool:
    """Whether a column holds numbers; of a list of values it shows how many there are."""
    if name == "cards" or kind.master is BILLS:
        return True
    return _field(kind, name).widget in ("number", "decimal", "lines")


def _cell(kind: Kind, entry: Any, name: str) -> str:
    each = _field(kind, name)
    value = getattr(entry, kind.master.renamed.get(name, name))
    if each.ref is not None:
        return getattr(value, each.ref.key) if value is not None else ""
    if each.widget == "lines":
        return str(len(value)) if value else ""
    if each.widget == "decimal" and value is not None:
        return format(value.normalize(), "f")
    return said(kind, each, value)


def _field(kind: Kind, name: str) -> Field:
    return next(each for each in fields_of(kind.master) if each.name == name)


def _address(asked: dict[str, str], **other: str) -> str:
    kept = {name: value for name, value in (asked | other).items() if value}
    return f"?{urlencode(kept)}"
