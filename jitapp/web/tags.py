"""Tags: what waits for somebody (unknown tags, alarms, missing ones), readers with their zones, and the story of a tag.

Every form works without JavaScript. Nothing here decides: the room of tags does. Leaders, planners and administrators
change; everybody of the plant sees.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from django.conf import settings
from django.contrib import messages
from django.forms import BaseModelForm
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as mark
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from jitapp.kanban.answers import ANSWERS
from jitapp.kanban.steps.all import STEPS
from jitapp.kanban.vocabulary import Intent
from jitapp.live.panels import station_channel
from jitapp.live.ticket import make_ticket
from jitapp.plant.models import Plant, Station
from jitapp.pull import actions
from jitapp.tags import binding, reading
from jitapp.tags.adapters import ADAPTERS
from jitapp.tags.binding import TagRefused
from jitapp.tags.forms import PointForm, ReaderForm
from jitapp.tags.models import Alarm, Reader, ReadPoint
from jitapp.tags.taking import reader_of
from jitapp.tags.words import How
from jitapp.web.calls import members
from jitapp.web.device import PEOPLE_OR_TABLET, device_source
from jitapp.web.headers import live_base
from jitapp.web.visit import Viewer, declared, people, posted_name, viewer_of

QUIET = timedelta(minutes=10)  # a reader that was heard so lately is alive
LONGEST = 200

# Why nothing was changed; the codes are those of jitapp/tags/binding.py.
REFUSAL_TEXT = {
    "unknown_card": mark("There is no such card in your plant. Scan or type the code of the right one."),
    "card_gone": mark("Card {card} takes part no more. Choose a card that takes part."),
    "reads_like_card": mark("That is the code of a card. Write the number of the tag into the other field."),
    "tag_unreadable": mark(
        "That is no number of a tag. Hold the tag to a reader and take it from the list below."
    ),
    "other_plant": mark("The tag is on a card of another plant. It must be taken off there first."),
    "tag_on_card": mark(
        "The tag is on card {card} ({part}, card {number}). Tick “move” to take it off there."
    ),
    "code_taken": mark("That number is the code of something else already. Take another tag."),
    "reason_missing": mark("Say why, then press again."),
    "on_no_card": mark("The tag is on no card. Nothing was changed."),
    "still_on_card": mark("The tag is on a card. Take it off first, then ignore it."),
    "unknown_tag": mark("There is no such tag in your plant. Load the page again."),
    "not_allowed": mark("Leaders and planners change tags and readers. Ask yours."),
}
# What is wrong with settings; the codes are those of jitapp/tags/forms.py.
SETTING_TEXT = {
    "antennas_unreadable": mark(
        "Write the antennas’ numbers with commas: 1, 2. Empty: all that no other zone names."
    ),
    "antennas_taken": mark(
        "Another zone of this reader has one of these antennas. An antenna belongs to one zone."
    ),
    "rest_taken": mark("Another zone of this reader has all other antennas. Name the antennas of this one."),
    "station_missing": mark(
        "A zone that signals or binds stands at a station. Choose it, or let the zone only watch."
    ),
    "station_elsewhere": mark("That station belongs to another plant than the reader."),
    "intent_unknown": mark("That step is not known."),
    "language_unknown": mark("That language is not known."),
    "topic_unreadable": mark("That is no topic: + stands alone between slashes, # alone at the end."),
    "topic_taken": mark("Another reader publishes at that topic."),
}
LABELS = {
    "name": mark("Name of the zone"),
    "antennas": mark("Antennas"),
    "station": mark("Station"),
    "intent": mark("What a tag means there"),
    "purpose": mark("What the zone is for"),
    "moment": mark("When it counts"),
    "refire_minutes": mark("No second signal of a card for (minutes)"),
    "silence_ms": mark("Silence that ends a presence (milliseconds)"),
    "enter_reads": mark("Reads of an arrival"),
    "enter_rssi": mark("Or one read at least as strong as (dBm)"),
    "floor_rssi": mark("Ignore reads weaker than (dBm)"),
    "margin_db": mark("Stronger than another zone by (dB)"),
    "active": mark("In use"),
    "adapter": mark("Form of its messages"),
    "mqtt_topic": mark("MQTT topic"),
    "silent_minutes": mark("Alarm after silence of (minutes, 0: never)"),
    "language": mark("Language of its answers"),
}
PURPOSES = {
    "signal": mark("a tag is a scan of its card"),
    "bind": mark("an unknown tag belongs to the card that is scanned at the station"),
    "watch": mark("only watch where tags are"),
}
MOMENTS = {"arrive": mark("when the tag comes"), "leave": mark("when the tag goes")}
ALARMS = {
    "cross_read": mark("One tag was read at two places at once: turn down the power, or shield one of them."),
    "silent": mark("The reader says nothing: look at its power, network and token."),
    "unclear": mark(
        "Several tags or several cards at the binding place: take one tag and one card at a time."
    ),
}
WHY = {
    "watched": mark("only watched"),
    "binding": mark("at a binding place"),
    "later": mark("counts when it goes"),
    "unknown": mark("was on no card"),
    "ignored": mark("was ignored"),
    "locked": mark("card had just given a signal"),
    "crossed": mark("another reader heard it stronger"),
    "revoked": mark("its reader or its zone was switched off"),
}
HOW = {
    "form": mark("by hand"),
    "place": mark("at a binding place"),
    "api": mark("by the API"),
    "code": mark("its number was a code of the card"),
}


@require_GET
@people
def tags_page(request: HttpRequest) -> HttpResponseBase:
    """Everything about tags that somebody may have to see to."""
    viewer, now = viewer_of(request), timezone.now()
    context = _inbox(viewer) | {
        "alarms": [(each, gettext(ALARMS[each.kind])) for each in reading.open_alarms(viewer.plant_ids)],
        "missing": reading.missing_tags(viewer.plant_ids, now=now),
        "missing_days": reading.MISSING_DAYS,
        "ignored": reading.ignored_tags(viewer.plant_ids),
        "readers": [
            (each, each.heard_at is not None and now - each.heard_at < QUIET, _zones(each))
            for each in reading.readers(viewer.plant_ids)
        ],
        "card": request.GET.get("card", "")[:LONGEST],
        "tag": request.GET.get("tag", "")[:LONGEST],
    }
    return render(request, "tags/page.html", context)


@require_GET
@members
def inbox(request: HttpRequest) -> HttpResponseBase:
    """The unknown tags, for the page that renews them."""
    return render(request, "tags/inbox.html", _inbox(viewer_of(request)))


def _inbox(viewer: Viewer) -> dict[str, object]:
    return {
        "unknown": reading.unknown_tags(viewer.plant_ids),
        "may_change": bool(actions.may_settle(viewer.person_id)),
        "viewer": viewer,
    }


def _zones(reader: reading.ReaderFacts) -> list[tuple[reading.ZoneFacts, str, str]]:
    return [(zone, gettext(PURPOSES[zone.purpose]), _step(zone.intent)) for zone in reader.zones]


def _step(intent: str) -> str:
    return gettext(STEPS[Intent(intent)].label) if intent else gettext("Usual step")


@require_GET
@people
def tag_page(request: HttpRequest, tag_id: int) -> HttpResponseBase:
    """A tag: where it is, on which card, and everything that happened to it."""
    viewer = viewer_of(request)
    facts = reading.one_tag(tag_id, viewer.plant_ids)
    if facts is None:
        raise Http404(gettext("There is no such tag, or it belongs to a plant you are not a member of."))
    lines = [(line, _told(line)) for line in reading.story(tag_id, viewer.plant_ids)]
    may = bool(actions.may_settle(viewer.person_id))
    return render(
        request,
        "tags/tag.html",
        {"tag": facts, "lines": lines, "may_change": may, "viewer": viewer, "time_zone": _time_zone(tag_id)},
    )


def _time_zone(tag_id: int) -> str:
    return Plant.objects.filter(tags__pk=tag_id).values_list("time_zone", flat=True)[0]


def _told(line: reading.StoryLine) -> str:
    """What a line of the story says beside its place."""
    if line.kind == "bound":
        return gettext("put on card {}, {}").format(line.card, gettext(HOW[line.code]))
    if line.kind == "ended":
        return gettext("taken off card {}: {}").format(line.card, line.why)
    if line.code in ANSWERS:
        return gettext("scan: {}").format(gettext(ANSWERS[line.code].headline or line.outcome))
    return gettext(WHY[line.why]) if line.why in WHY else gettext("came by")


# -- changes ------------------------------------------------------------------------------------------------
def _changed(request: HttpRequest, change: Callable[[frozenset[int], int], str]) -> HttpResponseBase:
    """Does it for the plants in which the person may change tags; says what was done, or why not."""
    viewer = viewer_of(request)
    plants = actions.may_settle(viewer.person_id)
    try:
        if not plants or viewer.person_id is None:
            raise TagRefused("not_allowed")
        messages.info(request, change(plants, viewer.person_id))
    except TagRefused as refused:
        messages.error(request, gettext(REFUSAL_TEXT[refused.code]).format(**refused.facts))
        if request.POST.get("card"):
            messages.info(request, gettext("You wrote: tag {}, card {}.").format(*_written(request)))
    return redirect("tags")


def _written(request: HttpRequest) -> tuple[str, str]:
    return posted_name(request, "tag")[:LONGEST], posted_name(request, "card")[:LONGEST]


@require_POST
@members
def bind(request: HttpRequest) -> HttpResponseBase:
    """Puts a tag on a card; moves it there if that was ticked."""
    tag, card = _written(request)

    def change(plants: frozenset[int], person_id: int) -> str:
        binding.bind(
            tag=tag,
            card=card,
            how=How.FORM,
            plant_ids=plants,
            now=timezone.now(),
            person_id=person_id,
            move="move" in request.POST,
        )
        return gettext("The tag is on that card now.")

    return _changed(request, change)


@require_POST
@members
def unbind(request: HttpRequest) -> HttpResponseBase:
    """Takes a tag off its card."""
    return _with_reason(request, binding.unbind, mark("The tag is on no card now."))


@require_POST
@members
def ignore(request: HttpRequest) -> HttpResponseBase:
    """An unknown tag that is nobody's business here."""
    return _with_reason(request, binding.ignore, mark("Ignored. The tag is listed no more."))


class Ending(Protocol):
    """What is done to a tag for a reason."""

    def __call__(
        self, *, tag: str, reason: str, plant_ids: frozenset[int], now: datetime, person_id: int | None
    ) -> object: ...


def _with_reason(request: HttpRequest, do: Ending, done: str) -> HttpResponseBase:
    """Does it to the tag of the form, for the reason that stands beside it."""
    tag, reason = _written(request)[0], posted_name(request, "reason")[:LONGEST]

    def change(plants: frozenset[int], person_id: int) -> str:
        do(tag=tag, reason=reason, plant_ids=plants, now=timezone.now(), person_id=person_id)
        return gettext(done)

    return _changed(request, change)


@require_POST
@members
def close_alarm(request: HttpRequest, alarm: int) -> HttpResponseBase:
    """Somebody has seen to it."""

    def change(plants: frozenset[int], person_id: int) -> str:
        opened = Alarm.objects.filter(pk=alarm, plant__in=plants, closed_at__isnull=True)
        if not opened.update(closed_at=timezone.now(), closed_by_id=person_id):
            return gettext("That alarm is over already.")
        return gettext("Seen to. It comes back if it happens again.")

    return _changed(request, change)


# -- readers and their zones --------------------------------------------------------------------------------
@require_http_methods(["GET", "HEAD", "POST"])
@members
def point_page(request: HttpRequest, point: int) -> HttpResponseBase:
    """The settings of a zone."""
    row = ReadPoint.objects.select_related("reader__device").filter(pk=point).first()
    return _settings(request, row.reader if row else None, row, PointForm)


@require_http_methods(["GET", "HEAD", "POST"])
@members
def new_point(request: HttpRequest, reader: int) -> HttpResponseBase:
    """A new zone of a reader."""
    found = reader_of(reader)
    row = ReadPoint(reader=found) if found else None
    return _settings(request, found, row, PointForm)


@require_http_methods(["GET", "HEAD", "POST"])
@members
def reader_page(request: HttpRequest, reader: int) -> HttpResponseBase:
    """The settings of a reader."""
    found = reader_of(reader)
    return _settings(request, found, found, ReaderForm)


def _settings(
    request: HttpRequest,
    reader: Reader | None,
    row: Reader | ReadPoint | None,
    kind: type[PointForm | ReaderForm],
) -> HttpResponseBase:
    """A form that is saved, or comes back with what was typed and what is wrong with it."""
    viewer = viewer_of(request)
    if reader is None or reader.plant_id not in viewer.plant_ids:
        raise Http404(gettext("There is no such reader, or it belongs to a plant you are not a member of."))
    may = reader.plant_id in actions.may_settle(viewer.person_id)
    form: BaseModelForm[Reader | ReadPoint] = kind(  # type: ignore[assignment]
        request.POST if request.method == "POST" else None,
        instance=row,  # type: ignore[arg-type]
    )
    if request.method == "POST":
        if not may:
            messages.error(request, gettext(REFUSAL_TEXT["not_allowed"]))
            return redirect("tags")
        if form.is_valid():
            if reader._state.adding:
                reader.save()  # it is set up before it has sent anything
            form.save()
            messages.info(request, gettext("Saved. It counts from the next read on."))
            return redirect("tags")
    context = {
        "reader": reader,
        "fields": [_field(form, name, reader) for name in form.fields],
        "may_change": may,
    }
    return render(request, "tags/settings.html", context | {"viewer": viewer, "is_zone": kind is PointForm})


def _field(form: BaseModelForm[Reader | ReadPoint], name: str, reader: Reader) -> dict[str, object]:
    """A field as the template shows it: label, value, choices, and what is wrong."""
    bound = form[name]
    errors = (
        [
            gettext(SETTING_TEXT[error.code]) if error.code in SETTING_TEXT else " ".join(error.messages)
            for error in form.errors[name].as_data()
        ]
        if name in form.errors
        else []
    )
    choices = _choices(name, reader)
    value = bound.value()
    return {
        "name": name,
        "label": gettext(LABELS[name]),
        "value": "" if value is None else value,
        "chosen": "" if value is None else str(value),
        "choices": choices,
        "is_tick": name == "active",
        "errors": errors,
    }


def _choices(name: str, reader: Reader) -> list[tuple[str, str]]:
    if name == "station":
        stations = Station.objects.filter(plant_id=reader.plant_id).order_by("position", "code")
        return [("", "–"), *((str(each.pk), f"{each.name} ({each.code})") for each in stations)]
    if name == "intent":
        return [("", gettext("Usual step")), *((each.value, _step(each.value)) for each in Intent)]
    if name == "adapter":
        return [(each, each.title()) for each in ADAPTERS]
    if name == "language":
        return [("", gettext("That of the station")), *settings.LANGUAGES]
    words = {"purpose": PURPOSES, "moment": MOMENTS}.get(name, {})
    return [(word, gettext(text)) for word, text in words.items()]


# -- the stream of a station --------------------------------------------------------------------------------
@require_GET
@declared(PEOPLE_OR_TABLET)
def station_stream(request: HttpRequest, station: str) -> HttpResponse:
    """Where a station's screen hears of scans that no hand made there, with a fresh ticket (station-stream.js)."""
    viewer, tablet = viewer_of(request), device_source(request)
    if viewer.is_guest and tablet is None:
        return HttpResponse(status=401)
    plants = tablet.plant_ids if viewer.is_guest and tablet is not None else viewer.plant_ids
    if not Station.objects.filter(code=station, plant_id__in=plants).exists():
        return HttpResponse(status=404)
    told = {
        "live": live_base(request) + "/live/board",
        "ticket": make_ticket(station_channel(station), request.session.session_key),
        "words": {
            "tag_unknown": gettext("Tag {} is on no card. Bind it to its card."),
            "tag_bound": gettext("The tag is on card {} now."),
        },
    }
    response = JsonResponse(told)
    response["Cache-Control"] = "private, no-store"
    return response
