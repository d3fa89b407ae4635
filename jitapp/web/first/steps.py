"""The first steps of a shop: what is there, what comes next, and where it is done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_GET

from jitapp.kanban.vocabulary import StationKind
from jitapp.plant.models import Area, Loop, Placement, Plant, Station
from jitapp.printing.models import PrintJob
from jitapp.pull.reading.firsts import FirstScan, first_scan
from jitapp.web.leading import led_plants
from jitapp.web.masters.pages import PLANNERS
from jitapp.web.visit import people, viewer_of


@dataclass(frozen=True, slots=True)
class Step:
    """One of them; `links` are words and addresses, the usual way first."""

    number: int
    title: str
    says: str
    done: bool
    links: tuple[tuple[str, str], ...]


@require_GET
@people
def steps_page(request: HttpRequest) -> HttpResponseBase:
    """The five steps, and after the first scan what comes then."""
    viewer = viewer_of(request)
    plants = list(Plant.objects.filter(pk__in=viewer.plant_ids).order_by("name"))
    plans = bool(led_plants(request, PLANNERS))
    scan = first_scan([plant.pk for plant in plants])
    steps = steps_of(plants, scan)
    following = next((step for step in steps if not step.done), None)
    context = {
        "plants": plants,
        "plans": plans,
        "steps": [(step, step is following) for step in steps],
        "scan": scan,
    }
    return render(request, "first/steps.html", context)


def steps_of(plants: Sequence[Plant], scan: FirstScan | None) -> list[Step]:
    """What a shop needs until its first scan, with what is there of it."""
    here = [plant.pk for plant in plants]
    stations = Station.objects.filter(plant__in=here).count()
    loop = Loop.objects.filter(plant__in=here).order_by("pk").first()
    printed = PrintJob.objects.filter(plant__in=here, what=PrintJob.What.CARDS).exists()
    tablets = Placement.objects.filter(plant__in=here).exists()
    area = Area.objects.filter(plant__in=here).order_by("pk").values_list("code", flat=True).first()
    placed = f"?{urlencode({'area': area, 'kind': StationKind.PROCESS.value})}" if area else ""
    new_station = (gettext("New station"), reverse("master-new", args=["stations"]) + placed)
    new_supplier = (gettext("New supplier"), reverse("master-new", args=["suppliers"]))
    return [
        Step(
            1,
            gettext("Two stations"),
            gettext("One that fills bins and one that uses them. A supplier counts as one that fills."),
            stations >= 2,
            (new_station, new_supplier),
        ),
        Step(
            2,
            gettext("A loop"),
            gettext("One part between them. The number of cards is computed from use and lead time."),
            loop is not None,
            ((gettext("Make the first loop"), reverse("loop-new")),),
        ),
        Step(
            3,
            gettext("Its cards on paper"),
            gettext("Print them, scan one back to check the printer, and hang each on its bin."),
            printed,
            ((gettext("Print cards and labels"), reverse("print")),),
        ),
        Step(
            4,
            gettext("The first scan"),
            gettext("When a bin is empty, its card is scanned at the station that uses it. That is all."),
            scan is not None,
            ((gettext("Open the scan page"), reverse("scan")),),
        ),
        Step(
            5,
            gettext("People and tablets"),
            gettext("Whoever scans gets a badge, and each station a tablet or a scanner of its own."),
            tablets and scan is not None,
            ((gettext("New person"), reverse("person-new")), (gettext("Enrol a device"), reverse("enrol"))),
        ),
    ]
