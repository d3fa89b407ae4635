"""Learn: two-minute lessons by role, marked as done by themselves, and a sheet of each role to print."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from jitapp.accounts.models import LessonDone
from jitapp.kanban.vocabulary import Role
from jitapp.plant.models import Plant, Station
from jitapp.plant.shown import is_shown, shown_plants
from jitapp.printing.layouts.signs import commands
from jitapp.printing.words import command_words
from jitapp.web.first.lessons import BY_NAME, LESSONS, TAUGHT, Lesson, done_lessons, keep
from jitapp.web.persons import ROLE_WORDS
from jitapp.web.phrases import clock
from jitapp.web.qr import Drawn, qr
from jitapp.web.visit import Viewer, people, readers, viewer_of


@dataclass(frozen=True, slots=True)
class Told:
    """A lesson as the page shows it; `done` says when, empty if it is not."""

    lesson: Lesson
    title: str
    steps: list[str]
    word: str
    address: str
    done: str
    by_hand: bool


@dataclass(frozen=True, slots=True)
class CommandShown:
    """A command card of the sheet."""

    title: str
    says: str
    picture: Drawn


@require_GET
@readers
@never_cache
def learn_page(request: HttpRequest) -> HttpResponseBase:
    """The lessons of a role: the viewer's own first, any other by choice."""
    viewer = viewer_of(request)
    role = _role(request.GET.get("role", ""), viewer)
    told = _told(role, viewer)
    context = {
        "role": role.value,
        "role_word": gettext(ROLE_WORDS[role]),
        "roles": [(each.value, gettext(ROLE_WORDS[each]), each is role) for each in TAUGHT],
        "lessons": told,
        "done": sum(1 for each in told if each.done),
        "on_demo": _on_demo(viewer),
        "marks": viewer.person_id is not None,
    }
    return render(request, "first/learn.html", context)


@require_POST
@people
def learn_mark(request: HttpRequest, lesson: str) -> HttpResponseBase:
    """Ticks a lesson by hand, or takes such a tick away (`do`: done, again)."""
    found, viewer = BY_NAME.get(lesson), viewer_of(request)
    if found is None or viewer.person_id is None:
        raise Http404
    if request.POST.get("do") == "again":
        LessonDone.objects.filter(person_id=viewer.person_id, lesson=lesson, by_hand=True).delete()
    else:
        keep(viewer.person_id, [lesson], now=timezone.now(), by_hand=True)
    return redirect(f"{reverse('learn')}?role={found.role.value}#lesson-{lesson}")


@require_GET
@readers
def sheet_page(request: HttpRequest, role: str) -> HttpResponseBase:
    """One page of a role to print and to hang up, in the viewer's language; that of operators has command cards."""
    viewer, words = viewer_of(request), command_words(get_language() or "en")
    if role not in {each.value for each in TAUGHT}:
        raise Http404
    found = Role(role)
    shown = [
        CommandShown(
            words[each.name.name][0].format(each.number),
            words[each.name.name][1].format(each.number),
            qr(each.code),
        )
        for each in (commands() if found is Role.OPERATOR else [])
        if not each.number
    ]
    context = {
        "role": role,
        "role_word": gettext(ROLE_WORDS[found]),
        "lessons": _told(found, viewer, marked=False),
        "commands": shown,
        "plants": ", ".join(
            Plant.objects.filter(pk__in=viewer.plant_ids).order_by("code").values_list("name", flat=True)
        ),
    }
    return render(request, "first/sheet.html", context)


def _role(asked: str, viewer: Viewer) -> Role:
    """The role that is asked for; else the first of the viewer's own that has lessons, else the operator's."""
    own = {role for roles in viewer.roles.values() for role in roles}
    return next((each for each in TAUGHT if each.value == asked), None) or next(
        (each for each in TAUGHT if each in own), Role.OPERATOR
    )


def _told(role: Role, viewer: Viewer, *, marked: bool = True) -> list[Told]:
    now = timezone.now()
    marks = marked and viewer.person_id is not None
    done = done_lessons(viewer.person_id, now=now) if marks and viewer.person_id is not None else {}
    zones = Plant.objects.filter(pk__in=viewer.plant_ids).order_by("code").values_list("time_zone", flat=True)
    zone = (zones.first() if done else None) or "UTC"
    return [
        Told(
            lesson,
            gettext(lesson.title),
            [gettext(step) for step in lesson.steps],
            gettext(lesson.word),
            _address(lesson, viewer),
            clock(done[lesson.name].done_at, zone, now, viewer.language) if lesson.name in done else "",
            lesson.name in done and done[lesson.name].by_hand,
        )
        for lesson in LESSONS
        if lesson.role is role
    ]


def _address(lesson: Lesson, viewer: Viewer) -> str:
    """Where it is done: the first scan of the demonstration on a board, whose code a phone reads; else the page."""
    if lesson.name == "scan" and _on_demo(viewer):
        here = Station.objects.filter(plant__in=shown_plants(), area__isnull=False).select_related("area")
        if (station := here.order_by("position").first()) is not None and station.area is not None:
            return f"{reverse('board', args=[station.area.code])}#trying"
    return reverse(lesson.page)


def _on_demo(viewer: Viewer) -> bool:
    return is_shown() and not shown_plants().isdisjoint(viewer.plant_ids)
