"""Master data by hand. What has a structure to keep (bills, loops) is shown here and changed by file or API,
where circles are refused and cards are told; nothing is deleted that the ledger may name."""

from __future__ import annotations

from typing import TypeVar

from django.contrib import admin, messages
from django.db import models
from django.forms import ModelForm
from django.http import HttpRequest

from jitapp.plant.masters.areas import AREAS
from jitapp.plant.masters.calendars import CALENDARS
from jitapp.plant.masters.form import PlacementForm, StandardWorkForm, StopsForms, form_of
from jitapp.plant.masters.parts import PARTS
from jitapp.plant.masters.plants import PLANTS
from jitapp.plant.masters.routes import ROUTES
from jitapp.plant.masters.stations import STATIONS
from jitapp.plant.masters.suppliers import SUPPLIERS
from jitapp.plant.models import (
    Area,
    BillOfMaterials,
    Calendar,
    Identifier,
    Loop,
    Membership,
    Part,
    Placement,
    Plant,
    StandardWork,
    Station,
    Supplier,
)
from jitapp.plant.routes import Route, RouteStop

_Row = TypeVar("_Row", bound=models.Model)


class Kept(admin.ModelAdmin[_Row]):
    """Can be changed, never deleted; a version counts the changes where there is one."""

    def has_delete_permission(self, _request: HttpRequest, _row: _Row | None = None) -> bool:
        """Events, turns and cards point to it."""
        return False

    def get_exclude(self, _request: HttpRequest, _row: _Row | None = None) -> tuple[str, ...]:
        """Counted, not typed."""
        return ("version", "revision")

    def save_model(self, request: HttpRequest, obj: _Row, form: ModelForm[_Row], change: bool) -> None:
        """Readers with an older ETag learn of the change."""
        if change and form.changed_data and hasattr(obj, "version"):
            obj.version += 1
        super().save_model(request, obj, form, change)
        for note in getattr(form, "notes", ()):
            messages.warning(request, note)


class Shown(Kept[_Row]):
    """Can only be looked at here."""

    def has_add_permission(self, _request: HttpRequest) -> bool:
        """By file or API."""
        return False

    def has_change_permission(self, _request: HttpRequest, _row: _Row | None = None) -> bool:
        """By file or API."""
        return False


@admin.register(Plant)
class PlantAdmin(Kept[Plant]):
    """Sites."""

    form = form_of(PLANTS)
    list_display = ("code", "name", "time_zone")


@admin.register(Calendar)
class CalendarAdmin(Kept[Calendar]):
    """Working times."""

    form = form_of(CALENDARS)
    list_display = ("code", "plant", "name", "is_default", "is_receiving")
    list_filter = ("plant",)


@admin.register(Area)
class AreaAdmin(Kept[Area]):
    """Parts of a plant with a leader and a board."""

    form = form_of(AREAS)
    list_display = ("code", "name", "plant", "leader")
    list_filter = ("plant",)
    autocomplete_fields = ("leader",)


@admin.register(Supplier)
class SupplierAdmin(Kept[Supplier]):
    """Companies that fill containers."""

    form = form_of(SUPPLIERS)
    list_display = ("code", "name", "plant", "ack_within_minutes")
    list_filter = ("plant",)
    search_fields = ("code", "name")


@admin.register(Station)
class StationAdmin(Kept[Station]):
    """Where work is done or parts wait."""

    form = form_of(STATIONS)
    list_display = ("code", "name", "area", "kind", "consumption", "wip_limit")
    list_filter = ("plant", "area", "kind", "consumption")
    search_fields = ("code", "name")
    ordering = ("position", "code")


@admin.register(Part)
class PartAdmin(Kept[Part]):
    """What is moved."""

    form = form_of(PARTS)
    list_display = ("number", "description", "unit", "plant")
    list_filter = ("plant",)
    search_fields = ("number", "description", "gtin")


@admin.register(BillOfMaterials)
class BillAdmin(Shown[BillOfMaterials]):
    """What goes into one piece."""

    list_display = ("parent", "component", "quantity")
    search_fields = ("parent__number", "component__number")
    list_select_related = ("parent", "component")


@admin.register(Loop)
class LoopAdmin(Shown[Loop]):
    """Control cycles with all their settings."""

    list_display = ("code", "part", "demand", "supply", "kind", "quantity", "status")
    list_filter = ("plant", "kind", "status")
    search_fields = ("code", "part__number", "demand__code", "supply__code")
    list_select_related = ("part", "demand", "supply")


class StopsInline(admin.TabularInline[RouteStop, Route]):
    """The stops of a route in walking order, beside its timetable."""

    model = RouteStop
    formset = StopsForms
    extra = 1
    autocomplete_fields = ("station",)


@admin.register(Route)
class RouteAdmin(Kept[Route]):
    """Rounds of the material handlers; a shop without files enters them here."""

    form = form_of(ROUTES)
    list_display = ("code", "name", "plant", "every_minutes", "capacity", "handler")
    list_filter = ("plant",)
    autocomplete_fields = ("handler",)
    inlines = (StopsInline,)


@admin.register(Membership)
class MembershipAdmin(admin.ModelAdmin[Membership]):
    """What people may do in a plant."""

    list_display = ("person", "plant", "role")
    list_filter = ("plant", "role")
    search_fields = ("person__username", "person__name")
    list_select_related = ("person", "plant")
    autocomplete_fields = ("person",)


@admin.register(Placement)
class PlacementAdmin(Kept[Placement]):
    """Where devices stand."""

    form = PlacementForm
    list_display = ("device", "plant", "station")
    list_filter = ("plant",)
    search_fields = ("device__name", "station__code")
    list_select_related = ("device", "plant", "station")
    readonly_fields = ("device",)
    exclude = ("wall",)  # set on the page of the device, which checks it

    def has_add_permission(self, _request: HttpRequest) -> bool:
        """`manage.py api_token` places a device."""
        return False


@admin.register(Identifier)
class IdentifierAdmin(Shown[Identifier]):
    """Codes and tags, never used twice."""

    list_display = ("code", "kind", "target_id")
    list_filter = ("kind",)
    search_fields = ("code",)


@admin.register(StandardWork)
class StandardWorkAdmin(admin.ModelAdmin[StandardWork]):
    """The address of the standard work of a part at a station."""

    form = StandardWorkForm
    list_display = ("part", "station", "url")
    search_fields = ("part__number", "station__code")
    list_select_related = ("part", "station")
