"""Routes of material handlers: a timetable and the stops of one round, in walking order. Fields and constraints only;
what is carried on a round is asked in the room `rounds`."""

from __future__ import annotations

from django.db import models
from django.db.models import Value

from jitapp.plant.spelling import CODE


class Route(models.Model):
    """A fixed round that somebody walks by a timetable: every so many minutes of working time, or at named times."""

    plant = models.ForeignKey("plant.Plant", on_delete=models.PROTECT, related_name="routes")
    code = models.CharField(max_length=60, unique=True, validators=[CODE])
    name = models.CharField(max_length=120)
    calendar = models.ForeignKey(
        "plant.Calendar",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        help_text="when the round is walked; empty: the plant's default calendar",
    )
    every_minutes = models.PositiveIntegerField(
        null=True, blank=True, help_text="from departure to departure, counted from the plant's midnight"
    )
    departures = models.JSONField(
        default=list,
        db_default=Value([], models.JSONField()),
        blank=True,
        help_text='["06:00", "06:40"] in the plant\'s time, instead of every so many minutes',
    )
    capacity = models.PositiveIntegerField(
        null=True, blank=True, help_text="containers that the cart carries; empty: nobody counts them"
    )
    handler = models.ForeignKey(
        "accounts.Person", on_delete=models.SET_NULL, null=True, blank=True, related_name="routes"
    )
    loops = models.JSONField(
        default=list,
        db_default=Value([], models.JSONField()),
        blank=True,
        help_text='["LIDS"]: the loops whose containers are carried; empty: those between two stops',
    )

    def __str__(self) -> str:
        return self.code


class RouteStop(models.Model):
    """A station on a route, `minutes` after the departure."""

    route = models.ForeignKey(Route, on_delete=models.CASCADE, related_name="stops")
    position = models.PositiveIntegerField()
    station = models.ForeignKey("plant.Station", on_delete=models.PROTECT, related_name="route_stops")
    minutes = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["route", "position"]
        constraints = [models.UniqueConstraint(fields=["route", "position"], name="route_position_once")]

    def __str__(self) -> str:
        return f"{self.route_id} stop {self.position}"
