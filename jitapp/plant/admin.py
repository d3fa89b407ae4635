"""What planners edit by hand beside the shop file."""

from __future__ import annotations

from django.contrib import admin

from jitapp.plant.models import StandardWork


@admin.register(StandardWork)
class StandardWorkAdmin(admin.ModelAdmin[StandardWork]):
    """The address of the standard work of a part at a station."""

    list_display = ("part", "station", "url")
    search_fields = ("part__number", "station__code")
    list_select_related = ("part", "station")
