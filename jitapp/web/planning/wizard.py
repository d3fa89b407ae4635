"""A new loop on one page: what it brings, from where to where, in which containers; the number of cards is computed and
the formula shown with its numbers. It ends with cards that can be printed."""

from __future__ import annotations

from datetime import timedelta

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as mark
from django.views.decorators.http import require_GET, require_http_methods

from jitapp.kanban.vocabulary import LoopKind, StationKind
from jitapp.plant.history import MasterChange
from jitapp.plant.masters.parts import PARTS
from jitapp.plant.models import Loop, Plant, Station, Supplier
from jitapp.pull import actions
from jitapp.pull.setup import set_up_shop
from jitapp.web.calls import members, source_of
from jitapp.web.happenings import kind_word
from jitapp.web.leading import led_plants
from jitapp.web.masters.drawing import MOST_OPTIONS, options_of
from jitapp.web.masters.pages import PLANNERS, planned_plant, plants_seen
from jitapp.web.masters.refusals import refused
from jitapp.web.masters.saving import REFUSALS, document, sentence_of
from jitapp.web.phrases import plain
from jitapp.web.planning.picture import picture
from jitapp.web.planning.wanted import FIRST, SUPPLIER, Wanted, wanted
from jitapp.web.visit import people, viewer_of

KIND_SAYS = {
    LoopKind.TWO_BIN: mark("the empty bin itself asks for the next one"),
    LoopKind.PRODUCTION: mark("the card lets a station make one container"),
    LoopKind.WITHDRAWAL: mark("the card fetches a full container from a supermarket"),
    LoopKind.SUPPLIER: mark("the card orders a container from outside"),
    LoopKind.TRANSFER: mark("the card asks another plant for a container"),
    LoopKind.EVENT: mark("the card stands for single orders in their own quantity"),
}
FIRST_WORDS = {
    "": mark("Not there yet: the first scan of each card says how its container is"),
    "FULL": mark("All are full and in their place"),
    "EMPTY": mark("All are empty: ask for them at once"),
}
# Fields of the form whose row in a shop file has another name.
FIELDS = {"number": "part", "lead_time_minutes": "lead", "unit": "unit", "description": "description"}


TWICE_WITHIN = timedelta(seconds=30)


class _Undone(Exception):
    """Leaves the transaction without a trace."""


@require_http_methods(["GET", "HEAD", "POST"])
@people
def new_loop(request: HttpRequest) -> HttpResponseBase:
    """GET asks for the loop, POST makes it with its cards."""
    mine = led_plants(request, PLANNERS)
    if not mine and request.method != "POST":
        return render(request, "planning/new.html", {"plans": False})
    if request.method != "POST":
        plant = next((one for one in mine if one.code == request.GET.get("plant")), mine[0])
        return _page(request, plant, wanted(plant, request.GET.dict()), fresh=True)
    plant = planned_plant(request, None, request.POST.get("plant", ""))
    asked = wanted(plant, request.POST.dict())
    if asked.problems or asked.cards is None:
        return _page(request, plant, asked)
    made = _pressed_twice(request, asked) or _made(request, plant, asked)
    if made is None:
        return _page(request, plant, asked)
    messages.success(
        request,
        gettext("Loop {code} has {cards} cards. Print them, and hang each on its container.").format(
            code=made.code, cards=asked.cards
        ),
    )
    return redirect("loop-edit", made.pk)


@require_GET
@members
def look(request: HttpRequest) -> HttpResponseBase:
    """The part of the page that follows what is typed: the picture, the number of cards and what they cost."""
    seen = plants_seen(request)
    if not seen:
        raise Http404
    plant = next((one for one in seen if one.code == request.GET.get("plant")), seen[0])
    return render(request, "planning/look.html", _look(wanted(plant, request.GET.dict())))


def _made(request: HttpRequest, plant: Plant, asked: Wanted) -> Loop | None:
    """The loop with its cards, or None with what is wrong in `asked.problems`: all of it or nothing."""
    source, now = source_of(viewer_of(request)), timezone.now()
    if Loop.objects.filter(code__iexact=asked.code).exists():
        asked.problems["code"] = gettext(REFUSALS["twice"])
        return None
    first = asked.typed.get("first", "")
    try:
        with transaction.atomic():
            done = set_up_shop(
                document(plant, asked.document_rows()),
                now=now,
                plant_ids=frozenset({plant.pk}),
                source=source,
            )
            for problem in done.report.errors:
                member = str(problem.member[0]) if problem.member else ""
                asked.problems[FIELDS.get(member, member)] = sentence_of("loops", problem)
            if done.report.errors:
                raise _Undone
            loop = Loop.objects.get(code=asked.code, plant=plant)
            actions.add_cards(
                loop_id=loop.pk,
                count=asked.cards or 0,
                first=first if first in FIRST and first else None,
                now=now,
                source=source,
            )
    except _Undone:
        return None
    except actions.Refused as why:
        asked.problems[""] = refused(why)
        return None
    return loop


def _pressed_twice(request: HttpRequest, asked: Wanted) -> Loop | None:
    """The same loop, made by this person a moment ago: whoever presses twice wants one."""
    made = MasterChange.objects.filter(
        plant=asked.plant,
        kind="loops",
        what=MasterChange.What.CREATED,
        person_id=viewer_of(request).person_id or 0,
        at__gt=timezone.now() - TWICE_WITHIN,
    )
    same = Loop.objects.filter(
        code__in=made.values("key"),
        part=asked.part,
        supply=asked.supply,
        demand=asked.demand,
        quantity=asked.quantity,
    )
    return same.first() if asked.part is not None and not asked.typed.get("code", "").strip() else None


def _page(request: HttpRequest, plant: Plant, asked: Wanted, *, fresh: bool = False) -> HttpResponseBase:
    stations = list(
        Station.objects.filter(plant=plant).select_related("supplier").order_by("position", "code")
    )
    standing = {station.supplier_id for station in stations}
    suppliers = [
        one for one in Supplier.objects.filter(plant=plant).order_by("name") if one.pk not in standing
    ]
    typed = asked.typed
    context = _look(asked) | {
        "plans": True,
        "plant": plant,
        "plants": led_plants(request, PLANNERS),
        "typed": typed,
        "problems": {} if fresh else asked.problems,
        "other": ""
        if fresh
        else " ".join(said for name, said in asked.problems.items() if name not in SHOWN),
        "parts": options_of(PARTS, plant)[:MOST_OPTIONS],
        "sources": [
            (station.code, station.name, typed.get("supply") == station.code)
            for station in stations
            if station.kind != StationKind.SHIPPING
        ]
        + [
            (f"{SUPPLIER}{one.code}", one.name, typed.get("supply") == f"{SUPPLIER}{one.code}")
            for one in suppliers
        ],
        "places": [
            (station.code, station.name, typed.get("demand") == station.code)
            for station in stations
            if station.kind != StationKind.SUPPLIER
        ],
        "kinds": [
            (str(kind), kind_word(kind), gettext(says), typed.get("kind", "") == kind)
            for kind, says in KIND_SAYS.items()
        ],
        "firsts": [
            (value, gettext(word), typed.get("first", "") == value) for value, word in FIRST_WORDS.items()
        ],
        "lead_unit": typed.get("lead_unit", "hours"),
        "safety": typed.get("safety", "20"),
        "no_stations": len(stations) < 2,
    }
    return render(request, "planning/new.html", context, status=200 if fresh else 422)


SHOWN = frozenset(
    {
        "part",
        "unit",
        "description",
        "supply",
        "demand",
        "kind",
        "quantity",
        "use",
        "lead",
        "safety",
        "cards",
        "price",
        "code",
    }
)


def _look(asked: Wanted) -> dict[str, object]:
    """What is computed from what was typed so far."""
    size, chosen = asked.size, asked.chosen
    figures: dict[str, object] = {}
    if size is not None and chosen is not None:
        money = chosen.average * asked.price if asked.price is not None else None
        figures = {
            "use": plain(size.use_per_day),
            "days": plain(round(size.lead_days, 3)),
            "safety": plain(round(size.safety * 100, 2)),
            "quantity": plain(size.quantity),
            "exact": plain(round(size.exact, 2)),
            "up": size.cards,
            "spare": size.spare,
            "cards": chosen.cards,
            "differs": chosen.cards != size.cards,
            "most": plain(round(chosen.most, 2)),
            "average": plain(round(chosen.average, 1)),
            "money": plain(round(money, 2)) if money is not None else "",
            "lasts": plain(round(chosen.most / size.use_per_day, 1)) if size.use_per_day else "",
        }
    return {
        "asked": asked,
        "kind": kind_word(asked.kind),
        "figures": figures,
        "new_part": asked.part is None and bool(asked.part_number),
        "picture": picture(
            part=asked.part_number or "…",
            supply=asked.supply_name,
            demand=asked.demand.name if asked.demand is not None else "…",
            cards=asked.cards or 2,
            unit=asked.unit,
            quantity=plain(asked.quantity) if asked.quantity is not None else "…",
        ),
    }
