"""Master data by hand. What has a structure to keep (bills, loops) is shown here and changed by file or API,
where circles are refused and cards are told; nothing is deleted that the ledger may name."""

from __future__ import annotations

from typing import Any, TypeVar

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import models
from django.forms import ModelForm
from django.http import HttpRequest

from jitapp.accounts.models import Person
from jitapp.kanban import andon
from jitapp.kanban.worktime import BadCalendar, WorkCalendar
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

_Thing = TypeVar("_Thing", bound=models.Model)


class Kept(admin.ModelAdmin[_Thing]):
    """Can be changed, never deleted; a version counts the changes where there is one."""

    def has_delete_permission(self, _request: HttpRequest, _thing: _Thing | None = None) -> bool:
        """Events, turns and cards point to it."""
        return False

    def get_exclude(self, _request: HttpRequest, _thing: _Thing | None = None) -> tuple[str, ...]:
        """Counted, not typed."""
        return ("version", "revision")

    def save_model(self, request: HttpRequest, obj: _Thing, form: ModelForm[_Thing], change: bool) -> None:
        """Readers with an older ETag learn of the change."""
        if change and form.changed_data and hasattr(obj, "version"):
            obj.version += 1
        super().save_model(request, obj, form, change)


class Shown(Kept[_Thing]):
    """Can only be looked at here."""

    def has_add_permission(self, _request: HttpRequest) -> bool:
        """By file or API."""
        return False

    def has_change_permission(self, _request: HttpRequest, _thing: _Thing | None = None) -> bool:
        """By file or API."""
        return False


@admin.register(Plant)
class PlantAdmin(Kept[Plant]):
    """Sites."""

    list_display = ("code", "name", "time_zone")


class CalendarForm(ModelForm[Calendar]):
    """Shifts and holidays that can be reckoned with."""

    def clean(self) -> None:
        """Refuses a calendar that cannot be read."""
        super().clean()
        plant = self.cleaned_data.get("plant")
        try:
            WorkCalendar(
                plant.time_zone if plant else "UTC",
                self.cleaned_data.get("shifts") or [],
                self.cleaned_data.get("holidays") or [],
            )
        except (BadCalendar, AttributeError, TypeError) as error:
            raise ValidationError(str(error) or "The shifts or holidays are not a list.") from None


@admin.register(Calendar)
class CalendarAdmin(Kept[Calendar]):
    """Working times."""

    form = CalendarForm
    list_display = ("code", "plant", "name", "is_default", "is_receiving")
    list_filter = ("plant",)


class AreaForm(ModelForm[Area]):
    """Steps of escalation that climb, to people who exist."""

    def clean_escalation(self) -> list[dict[str, Any]]:
        """Refuses steps that cannot be read."""
        written = self.cleaned_data["escalation"] or []
        try:
            andon.steps_of(written)
            named = {str(step["who"]) for step in written} - {*andon.ROLES}
        except andon.BadSteps as error:
            raise ValidationError(str(error)) from None
        except (KeyError, TypeError, ValueError):
            raise ValidationError('Write the steps like [{"after": 5, "who": "area_leader"}].') from None
        known = Person.objects.filter(username__in=named).values_list("username", flat=True)
        if missing := named - set(known):
            raise ValidationError(
                f"There is no person {min(missing)!r}. Name a user, or {', '.join(andon.ROLES)}."
            )
        return [{"after": int(step["after"]), "who": str(step["who"])} for step in written]


@admin.register(Area)
class AreaAdmin(Kept[Area]):
    """Parts of a plant with a leader and a board."""

    form = AreaForm
    list_display = ("code", "name", "plant", "leader")
    list_filter = ("plant",)
    autocomplete_fields = ("leader",)


@admin.register(Supplier)
class SupplierAdmin(Kept[Supplier]):
    """Companies that fill containers."""

    list_display = ("code", "name", "plant", "ack_within_minutes")
    list_filter = ("plant",)
    search_fields = ("code", "name")


@admin.register(Station)
class StationAdmin(Kept[Station]):
    """Where work is done or parts wait."""

    list_display = ("code", "name", "area", "kind", "consumption", "wip_limit")
    list_filter = ("plant", "area", "kind", "consumption")
    search_fields = ("code", "name")
    ordering = ("position", "code")


@admin.register(Part)
class PartAdmin(Kept[Part]):
    """What is moved."""

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

    list_display = ("device", "plant", "station")
    list_filter = ("plant",)
    search_fields = ("device__name", "station__code")
    list_select_related = ("device", "plant", "station")
    readonly_fields = ("device",)

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

    list_display = ("part", "station", "url")
    search_fields = ("part__number", "station__code")
    list_select_related = ("part", "station")
