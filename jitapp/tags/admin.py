"""Readers and their zones by hand; tags, visits and bindings to look at."""

from __future__ import annotations

from typing import ClassVar

from django.contrib import admin
from django.http import HttpRequest

from jitapp.plant.admin import Kept, Shown
from jitapp.tags.forms import PointForm, ReaderForm
from jitapp.tags.models import Alarm, Binding, Reader, ReadPoint, Tag


@admin.register(Reader)
class ReaderAdmin(Kept[Reader]):
    """How each reader is read; it is made by its first body, or on the page of tags."""

    form = ReaderForm
    list_display = ("device", "plant", "adapter", "mqtt_topic", "heard_at", "reads", "refused", "trouble")
    list_filter = ("plant", "adapter")
    list_select_related: ClassVar[tuple[str, ...]] = ("device", "plant")

    def has_add_permission(self, _request: HttpRequest) -> bool:
        """`manage.py api_token NAME --kind reader` makes the device."""
        return False


@admin.register(ReadPoint)
class ReadPointAdmin(Kept[ReadPoint]):
    """Read zones and what they mean."""

    list_display = ("name", "reader", "antennas", "station", "intent", "purpose", "moment", "active")
    list_filter = ("purpose", "active", "reader__plant")
    list_select_related: ClassVar[tuple[str, ...]] = ("reader__device", "station")
    search_fields = ("name", "reader__device__name", "station__code")
    form = PointForm
    fields = ("reader", *PointForm.Meta.fields)

    def get_readonly_fields(self, request: HttpRequest, thing: ReadPoint | None = None) -> tuple[str, ...]:
        """A zone stays with its reader: visits point to it."""
        return ("reader",) if thing else ()


@admin.register(Tag)
class TagAdmin(Shown[Tag]):
    """Tags that were seen or bound."""

    list_display = ("identity", "hex", "plant", "card", "last_seen_at", "visits", "ignored_reason")
    list_filter = ("plant",)
    list_select_related: ClassVar[tuple[str, ...]] = ("plant", "card")
    search_fields = ("identity", "hex", "card__code")


@admin.register(Binding)
class BindingAdmin(Shown[Binding]):
    """Which tag was on which card, from when to when."""

    list_display = ("tag", "card", "how", "bound_at", "bound_by", "ended_at", "ended_by", "reason")
    list_filter = ("how",)
    list_select_related: ClassVar[tuple[str, ...]] = ("tag", "card", "bound_by", "ended_by")
    search_fields = ("tag__identity", "card__code")


@admin.register(Alarm)
class AlarmAdmin(Shown[Alarm]):
    """What readers had to be seen to for."""

    list_display = ("kind", "plant", "reader", "tag", "first_at", "last_at", "count", "closed_at")
    list_filter = ("kind", "plant")
    list_select_related: ClassVar[tuple[str, ...]] = ("plant", "reader__device", "tag")
