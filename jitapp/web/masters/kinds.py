"""The kinds of master data that planners keep on pages: what their lists show, and how a row stands there."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, cast

from django.db import models
from django.http import Http404
from django.utils.translation import gettext_noop as mark

from jitapp.plant.masters.areas import AREAS
from jitapp.plant.masters.bills import BILLS
from jitapp.plant.masters.calendars import CALENDARS
from jitapp.plant.masters.loops import LOOPS
from jitapp.plant.masters.master import Master
from jitapp.plant.masters.parts import PARTS
from jitapp.plant.masters.report import shown
from jitapp.plant.masters.stations import STATIONS
from jitapp.plant.masters.suppliers import SUPPLIERS
from jitapp.plant.models import BillOfMaterials, Part, Plant, StandardWork
from jitapp.plant.rows import as_text
from jitapp.pull.reading.lists import sizes_of
from jitapp.web.masters.fields import Field, Raw, fields_of


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind on pages. `columns` are members in the list beside the key; `search` names columns of the table; `fixed`
    members stand only on the page of a new row; `apart` are asked for elsewhere; `rare` ones are folded."""

    master: Master[Any, Any]
    title: str
    one: str
    says: str
    columns: tuple[str, ...]
    search: tuple[str, ...]
    filters: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ("code",)
    apart: tuple[str, ...] = ()
    rare: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Its list in a shop file, and its place in an address."""
        return self.master.kind

    @property
    def model(self) -> type[models.Model]:
        """Whose rows the list has: a bill is that of its part."""
        return Part if self.master is BILLS else self.master.model

    @property
    def key(self) -> str:
        """The column of the key."""
        return "number" if self.master is BILLS else self.master.key

    def fields(self) -> tuple[Field, ...]:
        """The fields of its form."""
        return tuple(field for field in fields_of(self.master) if field.name not in self.apart)

    def rows(self, plants: Collection[Plant]) -> models.QuerySet[Any]:
        """All rows of these plants; of bills the parts that have one."""
        found: Any = self.model._default_manager.filter(plant__in=plants)
        if self.master is BILLS:
            found = found.annotate(components=models.Count("bill")).filter(components__gt=0)
        else:
            found = found.select_related("plant", *self.master.refers)
        return cast("models.QuerySet[Any]", found)

    def one_of(self, plants: Collection[Plant], pk: int) -> Any:
        """A row by its id; of bills the part, also one without a bill yet. Raises Http404."""
        found = self.model._default_manager.filter(plant__in=plants, pk=pk).select_related("plant")
        entry = found.first()
        if entry is None:
            raise Http404
        return entry

    def key_of(self, entry: Any) -> str:
        """What names the row."""
        return str(getattr(entry, self.key))

    def current(self, entry: Any) -> Raw:
        """The row as it stands, every scalar as text: what a form shows and what it is compared with."""
        if self.master is BILLS:
            lines = BillOfMaterials.objects.filter(parent=entry).select_related("component")
            components = [
                {"part": line.component.number, "quantity": shown(line.quantity)}
                for line in lines.order_by("component__number")
            ]
            return {"part": entry.number, "components": components}
        found = self.master.members(entry)
        if self.master is PARTS:
            work = StandardWork.objects.filter(part=entry).select_related("station").order_by("station__code")
            found["standard_work"] = {line.station.code: line.url for line in work}
        if self.master is LOOPS:
            found["cards"] = sizes_of([entry.pk]).get(entry.pk, 0)
        text: Raw = as_text(found)
        return text


_ALL = (
    Kind(
        LOOPS,
        mark("Loops"),
        mark("New loop"),
        mark(
            "A loop brings one part from where it is filled to where it is used, with a fixed number of cards."
            " Each empty container asks for the next one."
        ),
        ("part", "supply", "demand", "kind", "quantity", "cards", "status"),
        ("code", "part__number", "part__description", "supply__code", "demand__code"),
        ("status", "kind", "supply", "demand"),
        fixed=("code", "part", "demand", "kind"),
        apart=("quantity", "cards", "first", "status"),
        rare=(
            "consume_at",
            "sequence",
            "min_turn_minutes",
            "min_turn_level",
            "bounce_ms",
            "undo_window_s",
            "late_hours",
            "auto_detach",
            "gr_policy",
            "triangle_quantity",
        ),
    ),
    Kind(
        PARTS,
        mark("Parts"),
        mark("New part"),
        mark("A part is what is moved in containers. Each stage of making has a number of its own."),
        ("description", "unit", "gtin"),
        ("number", "description", "gtin"),
        ("unit",),
        fixed=("number",),
    ),
    Kind(
        BILLS,
        mark("Bills"),
        mark("New bill"),
        mark(
            "A bill says what goes into one unit of a part. Stations that compute their use of parts draw by it."
        ),
        ("components",),
        ("number", "description", "bill__component__number"),
        fixed=("part",),
    ),
    Kind(
        STATIONS,
        mark("Stations"),
        mark("New station"),
        mark("A station is a place where work is done or parts wait: both ends of every loop are stations."),
        ("name", "area", "kind", "wip_limit", "supplier"),
        ("code", "name"),
        ("kind", "area"),
        rare=(
            "readiness_checks",
            "keeps_sequence",
            "refuses_without_components",
            "standard_work",
            "default_intent",
        ),
    ),
    Kind(
        AREAS,
        mark("Areas"),
        mark("New area"),
        mark("An area is a part of the plant with a leader and a board of its own."),
        ("name", "leader", "idle_minutes"),
        ("code", "name"),
        apart=("words",),
    ),
    Kind(
        CALENDARS,
        mark("Calendars"),
        mark("New calendar"),
        mark("A calendar says when people work. Lead times and due times count its minutes only."),
        ("name", "default", "receiving", "shifts", "holidays"),
        ("code", "name"),
    ),
    Kind(
        SUPPLIERS,
        mark("Suppliers"),
        mark("New supplier"),
        mark("A supplier fills containers from outside. Its loops begin at a station that stands for it."),
        ("name", "calendar", "ack_within_minutes", "delivery_days"),
        ("code", "name"),
        ("calendar",),
    ),
)
KINDS: dict[str, Kind] = {kind.name: kind for kind in _ALL}


def kind_named(name: str) -> Kind:
    """The kind of an address. Raises Http404."""
    if name not in KINDS:
        raise Http404
    return KINDS[name]
