"""Devices of a plant: how each of them is, what is to be done about it, and how a new one becomes known.

Everybody of the plant may look; leaders and administrators enrol, name, place and end devices.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_noop as mark
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from jitapp.accounts.models import Device
from jitapp.kanban.vocabulary import DeviceKind, Intent
from jitapp.plant import enrolling
from jitapp.plant.models import Enrolment, Plant, Station
from jitapp.plant.walls import WallSettings, WrongWall
from jitapp.pull import actions
from jitapp.pull.reading.devices import DeviceFacts, Missing, devices_of
from jitapp.pull.sources import forget
from jitapp.web import wall, wall_form
from jitapp.web.calls import members
from jitapp.web.doctor import PROBLEMS
from jitapp.web.leading import led_plant, led_plants
from jitapp.web.phrases import Words, words_of
from jitapp.web.qr import qr
from jitapp.web.scan import CHOICES
from jitapp.web.shell import version
from jitapp.web.tray import MEANT
from jitapp.web.visit import people, posted_name, viewer_of

SILENT_AFTER = timedelta(minutes=2)
CLOCK_MAY_DIFFER_MS = 60_000
CLOCK_IS_RIGHT_S = 2  # the way of the message counts too
ENOUGH_READS = 20
MOST_BAD = 0.1
LONGEST_NOTE = 200
WORST = ("act", "soon", "move", "ok", "held")
DEVICE_WORDS = {
    "act": mark("LOOK"),
    "soon": mark("WATCH"),
    "move": mark("RENEWS"),
    "ok": mark("OK"),
    "held": mark("ENDED"),
}
KIND_WORDS = {
    DeviceKind.TABLET: mark("Tablet or PC"),
    DeviceKind.WALL: mark("Wall screen"),
    DeviceKind.SCANNER: mark("Scanner"),
    DeviceKind.READER: mark("RFID reader"),
    DeviceKind.ERP: mark("ERP"),
}
STAMP_WORDS = {"passed": mark("PASSED"), "usable": mark("USABLE"), "failed": mark("FAILED")}
# Why a device cannot be enrolled or changed like that; the codes are those of jitapp/plant/enrolling.py.
REFUSAL_TEXT = {
    "name_missing": mark("Give the device a name of at most 80 characters, as people call it."),
    "name_taken": mark(
        "Another device has this name already. Choose another, or open that device and enrol it again."
    ),
    "kind_unknown": mark("Choose what kind of device it is."),
    "station_unknown": mark("There is no such station in this plant. Choose one of the list."),
    "intent_unknown": mark("That step is not known. Choose one of the list."),
}


@dataclass(frozen=True, slots=True)
class DoctorStamp:
    """What the scanner doctor said of the scanner there: passed, usable or failed, and what is to be set."""

    state: str
    word: str
    sentences: list[str]

    @property
    def chip(self) -> str:
        """The look of its word."""
        return {"passed": "ok", "usable": "soon"}.get(self.state, "act")


@dataclass(frozen=True, slots=True)
class Shown:
    """A device with the worst of its states, and a sentence for each thing that is not as it should be."""

    facts: DeviceFacts
    state: str
    word: str
    kind: str
    meant: str
    troubles: list[str]
    clock: str
    stamp: DoctorStamp | None
    newest: bool  # it runs the app as the server has it


# -- the list ---------------------------------------------------------------------------------------
@require_GET
@people
def devices_page(request: HttpRequest) -> HttpResponseBase:
    """All devices of the viewer's plants."""
    return render(request, "devices/page.html", _list(request))


@require_GET
@members
def devices_list(request: HttpRequest) -> HttpResponseBase:
    """The part of the page that renews itself."""
    return render(request, "devices/list.html", _list(request))


def _list(request: HttpRequest) -> dict[str, object]:
    viewer, now = viewer_of(request), timezone.now()
    words = words_of(viewer.language)
    found = [shown(facts, now, words) for facts in devices_of(viewer.plant_ids, now=now)]
    return {
        "now_ms": int(now.timestamp() * 1000),
        "devices": [each for each in found if each.facts.active],
        "ended": [each for each in found if not each.facts.active],
        "leads": bool(led_plants(request)),
        "several": len(viewer.plant_ids) > 1,
    }


def shown(facts: DeviceFacts, now: datetime, words: Words) -> Shown:
    """What is wrong with a device, in words; the state is the worst of it."""
    wrong = [] if not facts.active else list(_troubles(facts, now, words))
    state = "held" if not facts.active else min((state for state, _ in wrong), key=WORST.index, default="ok")
    return Shown(
        facts,
        state,
        gettext(DEVICE_WORDS[state]),
        gettext(KIND_WORDS[facts.kind]),
        gettext(MEANT[Intent(facts.intent)]) if facts.intent in set(Intent) else gettext("Usual step"),
        [sentence for _, sentence in wrong],
        _clock(facts, words),
        doctor_of(facts),
        facts.app_version == version(),
    )


def _clock(facts: DeviceFacts, words: Words) -> str:
    """How far its clock is off; empty for a device that has not told the time."""
    if facts.clock_error_ms is None:
        return ""
    error = facts.clock_error_ms / 1000
    if abs(error) < CLOCK_IS_RIGHT_S:
        return gettext("right")
    said = gettext("{} fast") if error > 0 else gettext("{} slow")
    return said.format(words.span(abs(error)))


def _troubles(facts: DeviceFacts, now: datetime, words: Words) -> list[tuple[str, str]]:
    found = [("act", never_arrived(each)) for each in facts.missing if each.noted_at is None]
    found += _of_its_signs(facts, now, words)
    error = facts.clock_error_ms or 0
    if abs(error) > CLOCK_MAY_DIFFER_MS:
        said = gettext("Its clock is {} wrong. Times are corrected; set the clock all the same.")
        found.append(("soon", said.format(words.span(abs(error) / 1000))))
    if facts.reads >= ENOUGH_READS and facts.bad_reads / facts.reads > MOST_BAD:
        said = gettext(
            "{bad} of the last {reads} reads were bad. Clean the scanner, or ask the scanner doctor."
        )
        found.append(("soon", said.format(bad=facts.bad_reads, reads=facts.reads)))
    if (stamp := doctor_of(facts)) and stamp.state == "failed":
        found.append(("soon", " ".join([gettext("The scanner doctor found:"), *stamp.sentences])))
    if facts.app_version and facts.app_version != version():
        said = gettext("It runs an older version. It renews itself as soon as nothing waits there.")
        found.append(("move", said))
    return found


def _of_its_signs(facts: DeviceFacts, now: datetime, words: Words) -> list[tuple[str, str]]:
    """What waits on the device, and for how long nothing was heard of it."""
    found: list[tuple[str, str]] = []
    seen = max(filter(None, (facts.seen_at, facts.reported_at)), default=None)
    silent = facts.reported_at is not None and seen is not None and now - seen > SILENT_AFTER
    if seen is None:
        found.append(("soon", gettext("Nothing was heard of it yet.")))
    if silent and seen is not None:
        said = gettext("Nothing was heard of it for {}.").format(words.span((now - seen).total_seconds()))
        found.append(("soon", said))
    if facts.waiting:
        said = ngettext("{} scan waits on the device.", "{} scans wait on the device.", facts.waiting)
        told = said.format(facts.waiting)
        if facts.oldest_waiting_at is not None:
            age = words.span((now - facts.oldest_waiting_at).total_seconds())
            told = f"{told} {gettext('The oldest is {} old.').format(age)}"
        found.append(("act" if silent else "soon", told))
    return found


def doctor_of(facts: DeviceFacts) -> DoctorStamp | None:
    """The doctor's last verdict (jitapp/web/doctor.py); None if it was never asked, or said what is not known here."""
    kept = facts.doctor if isinstance(facts.doctor, dict) else {}
    state = str(kept.get("stamp", ""))
    if state not in STAMP_WORDS:
        return None
    problems = kept.get("problems")
    named = problems if isinstance(problems, list) else []
    return DoctorStamp(
        state, gettext(STAMP_WORDS[state]), [gettext(PROBLEMS[name]) for name in named if name in PROBLEMS]
    )


def never_arrived(missing: Missing) -> str:
    """`Scans 17–19 never arrived.`"""
    if missing.first == missing.last:
        return gettext("Scan {} never arrived. Look whether it was set aside there.").format(missing.first)
    said = gettext("Scans {first}–{last} never arrived. Look whether they were set aside there.")
    return said.format(first=missing.first, last=missing.last)


# -- one device -------------------------------------------------------------------------------------
@require_http_methods(["GET", "HEAD", "POST"])
@people
def device_page(request: HttpRequest, device: UUID) -> HttpResponseBase:
    """GET shows one device; POST gives it a name, a station and a meaning of its scans."""
    facts = _one(request, device)
    leads = facts.plant_id in {plant.pk for plant in led_plants(request)}
    problem = ""
    if request.method == "POST":
        plant = led_plant(request, facts.plant)
        row = Device.objects.get(uuid=device)
        try:
            enrolling.change(row, _asked(request, plant, but=row))
        except (enrolling.CannotEnrol, WrongWall) as why:
            problem = _why(why)
        else:
            messages.success(request, _saved(row))
            return redirect("device", device)
    now = timezone.now()
    context: dict[str, object] = {
        "one": shown(facts, now, words_of(viewer_of(request).language)),
        "missing": [(each, never_arrived(each)) for each in facts.missing],
        "leads": leads,
        "problem": problem,
        "asked": _asked_again(request, facts),
        "stations": _stations([facts.plant_id]) if leads else (),
        "intents": _intents(),
        **(_wall_fields(request, facts) if leads and facts.kind == DeviceKind.WALL else {}),
    }
    return render(request, "devices/one.html", context, status=422 if problem else 200)


def _saved(row: Device) -> str:
    """Whoever must know of a change is told; what the leader is told of it."""
    forget(row.token_hash)
    if row.kind == DeviceKind.WALL:
        wall.set_up(row)
        return gettext("Saved. The screen shows it within a minute, without anybody going there.")
    return gettext("Saved. A tablet shows it as soon as nothing waits there and nobody scans.")


def _wall_fields(request: HttpRequest, facts: DeviceFacts) -> dict[str, object]:
    row = Device.objects.get(uuid=facts.uuid)
    return wall_form.fields(request, Plant.objects.filter(pk=facts.plant_id), wall_form.settings_of(row))


def _why(why: enrolling.CannotEnrol | WrongWall) -> str:
    return wall_form.refusal(why) if isinstance(why, WrongWall) else gettext(REFUSAL_TEXT[str(why)])


@require_POST
@members
def revoke(request: HttpRequest, device: UUID) -> HttpResponseBase:
    """Ends a device: what it sends from now on is refused, and stays on it."""
    facts = _one(request, device)
    led_plant(request, facts.plant)
    row = Device.objects.get(uuid=device)
    enrolling.revoke(row)
    forget(row.token_hash)
    said = gettext("{} is ended: what it sends from now on is refused. What waits on it stays there.")
    if row.kind == DeviceKind.WALL:
        wall.ended(row.token_hash)
        said = gettext("{} is ended: the screen shows nothing from now on.")
    messages.success(request, said.format(row.name))
    return redirect("device", device)


@require_POST
@members
def note(request: HttpRequest, missing: int) -> HttpResponseBase:
    """What a leader found out about scans that never arrived; from then on they are no matter of the tray."""
    said = request.POST.get("note", "").strip().replace("\0", "")
    plants = led_plants(request)
    if not plants:
        raise PermissionDenied
    viewer = viewer_of(request)
    if not said:
        messages.error(request, gettext("Say what you found out, then press again."))
    elif len(said) > LONGEST_NOTE:
        messages.error(request, gettext("That is too long: say it in at most 200 characters."))
    elif viewer.person_id is not None:
        done = actions.note_missing(
            missing,
            note=said,
            person_id=viewer.person_id,
            plant_ids=[plant.pk for plant in plants],
            now=timezone.now(),
        )
        if not done:
            messages.info(request, gettext("They have arrived meanwhile, or somebody has noted it already."))
    return redirect("devices")


def _one(request: HttpRequest, device: UUID) -> DeviceFacts:
    found = devices_of(viewer_of(request).plant_ids, device=device, now=timezone.now())
    if not found:
        raise Http404
    return found[0]


# -- enrolment --------------------------------------------------------------------------------------
@require_http_methods(["GET", "HEAD", "POST"])
@people
def enrol_page(request: HttpRequest) -> HttpResponseBase:
    """GET asks what the device shall be; POST shows the code by which it becomes that."""
    plants = led_plants(request)
    if request.method == "POST":
        plant = led_plant(request, posted_name(request, "plant"))
        try:
            return _show_code(request, _asked(request, plant))
        except (enrolling.CannotEnrol, WrongWall) as why:
            return _ask(request, plants, problem=_why(why))
    return _ask(request, plants)


@require_POST
@members
def enrol_again(request: HttpRequest, device: UUID) -> HttpResponseBase:
    """A code by which a browser takes the place of a device that is known: its old token ends when it is used."""
    facts = _one(request, device)
    plant = led_plant(request, facts.plant)
    row = Device.objects.get(uuid=device)
    try:
        asked = enrolling.wanted(
            plant,
            name=facts.name,
            kind=facts.kind,
            station=facts.station,
            intent=facts.intent,
            but=row,
            wall=wall_form.settings_of(row),
        )
    except enrolling.CannotEnrol as why:
        messages.error(request, gettext(REFUSAL_TEXT[str(why)]))
        return redirect("device", device)
    return _show_code(request, asked, again=row)


@require_GET
@members
def arrival(request: HttpRequest, enrolment: UUID) -> HttpResponseBase:
    """Whether the device has come: asked every second while the code is shown."""
    found = Enrolment.objects.filter(uuid=enrolment, plant__in=led_plants(request)).first()
    if found is None:
        raise Http404
    return render(request, "devices/arrival.html", _arrival(found))


def _arrival(row: Enrolment) -> dict[str, object]:
    now = timezone.now()
    standing = enrolling.standing(row, now)
    minutes = max(1, round((row.ends_at - now).total_seconds() / 60))
    return {"enrolment": row, "standing": standing.value, "minutes": minutes}


def _show_code(request: HttpRequest, asked: enrolling.Wanted, again: Device | None = None) -> HttpResponse:
    viewer = viewer_of(request)
    assert viewer.person_id is not None
    made, code = enrolling.begin(asked, person_id=viewer.person_id, now=timezone.now(), again=again)
    address = request.build_absolute_uri(f"/device/enrol/{code}")
    context = {
        "address": address,
        "short": address.removesuffix(f"/{code}"),
        "code": "-".join(code[place : place + 4] for place in range(0, len(code), 4)),
        "drawn": qr(address),
        "screen": asked.kind is DeviceKind.WALL,
        "local": request.get_host().split(":")[0] in ("127.0.0.1", "localhost", "[::1]"),
        **_arrival(made),
    }
    response = render(request, "devices/code.html", context)
    response["Cache-Control"] = "no-store"
    return response


def _ask(request: HttpRequest, plants: list[Plant], problem: str = "") -> HttpResponse:
    context: dict[str, object] = {
        "plants": plants,
        "kinds": [(kind.value, gettext(KIND_WORDS[kind])) for kind in enrolling.KINDS],
        "stations": _stations([plant.pk for plant in plants]),
        "intents": _intents(),
        "asked": request.POST,
        "problem": problem,
        **wall_form.fields(request, plants, WallSettings()),
    }
    return render(request, "devices/enrol.html", context, status=422 if problem else 200)


def _asked(request: HttpRequest, plant: Plant, but: Device | None = None) -> enrolling.Wanted:
    kind = but.kind if but else request.POST.get("kind", "")
    is_wall = kind == DeviceKind.WALL  # it stands at no station, and nobody scans there
    return enrolling.wanted(
        plant,
        name=posted_name(request, "name"),
        kind=kind,
        station="" if is_wall else posted_name(request, "station"),
        intent="" if is_wall else request.POST.get("intent", ""),
        but=but,
        wall=wall_form.asked_wall(request, plant) if is_wall else None,
    )


def _asked_again(request: HttpRequest, facts: DeviceFacts) -> dict[str, str]:
    """What stands in the form: what was typed, else what is."""
    known = {"name": facts.name, "station": facts.station, "intent": facts.intent}
    return {name: request.POST.get(name, value) for name, value in known.items()}


def _stations(plant_ids: list[int]) -> list[Station]:
    rows = Station.objects.filter(plant__in=plant_ids).select_related("plant")
    return list(rows.order_by("plant__code", "name"))


def _intents() -> list[tuple[str, str]]:
    return [(intent.value, gettext(MEANT[intent])) for intent in CHOICES]
