"""What changed in an area since its shift began, or between two instants; also half of the handover (shift.py)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext
from django.views.decorators.http import require_GET

from jitapp.plant.shifts import shifts_before
from jitapp.pull.reading.past_changes import URGENT, CallChange, Changes, LoopChange, Side, changes
from jitapp.pull.reading.past_marks import begins_at, loops_of
from jitapp.web.board import chip
from jitapp.web.calls import KIND_WORDS
from jitapp.web.past import area_of
from jitapp.web.past_instants import BadInstant, checked, for_a_field, named, write_instant
from jitapp.web.phrases import clock, plain, words_of
from jitapp.web.visit import readers, viewer_of


@dataclass(frozen=True, slots=True)
class SideWords:
    """A loop at one of the two instants, in words."""

    chip: SafeString
    stock: str
    pieces: str
    who: str


@dataclass(frozen=True, slots=True)
class Line:
    """A loop of the comparison, in words."""

    loop_id: int
    part: str
    description: str
    then: SideWords | None
    now: SideWords | None
    why: str
    runouts: tuple[str, ...]
    came: str
    went: str
    waiting_since: str
    dry_since: str
    refill: str
    late: int


@dataclass(frozen=True, slots=True)
class CallLine:
    """A call between the two instants, in words."""

    where: str
    kind: str
    note: str
    called: str
    solved: str
    taken_by: str
    stops_line: bool


class Comparison:
    """Changes in the words of a page: `lines` have a change, `urgent` are those that need somebody now, `waiting` wait
    since before, `same` counts the loops that stand as they stood."""

    def __init__(self, found: Changes, time_zone: str, language: str) -> None:
        self._until, self._zone, self._words = found.until, time_zone, words_of(language)
        self.since = named(found.since.replace(second=0), time_zone, language)
        self.until = named(found.until.replace(second=0), time_zone, language)
        self.lines = [self._line(change) for change in found.loops if change.is_one]
        self.urgent = [
            self._line(change) for change in found.loops if change.now and change.now.state in URGENT
        ]
        self.waiting = [self._line(change) for change in found.loops if change.waits]
        self.same = len(found.loops) - len(self.lines)
        self.calls = [self._call(call) for call in found.calls]
        self.open_calls = [call for call in self.calls if not call.solved]

    def clock(self, at: datetime | None) -> str:
        """An instant as it is said at the later of the two; empty for none."""
        return clock(at, self._zone, self._until, self._words.language, exact=True) if at else ""

    def _line(self, change: LoopChange) -> Line:
        now = change.now
        why = ""
        if now is not None:
            why = now.hold_reason or self._words.whys.get(now.why_code, "").format("")
        return Line(
            loop_id=change.loop_id,
            part=change.part,
            description=change.description,
            then=self._side(change.then, change.unit),
            now=self._side(now, change.unit),
            why=why,
            runouts=tuple(self._runout(*each) for each in change.runouts),
            came=", ".join(map(str, change.came)),
            went=", ".join(map(str, change.went)),
            waiting_since=self.clock(change.owner_since),
            dry_since=self.clock(change.dry_since),
            refill=self.clock(change.refill_at),
            late=change.late,
        )

    def _side(self, side: Side | None, unit: str) -> SideWords | None:
        if side is None:
            return None
        words = self._words
        name = side.owner_name or words.parties.get(side.owner_party, side.owner_party)
        return SideWords(
            chip=mark_safe(chip(side.state, words)),  # noqa: S308 (made of our own words)
            stock=f"{side.usable} / {side.circulating}",
            pieces=f"{plain(side.pieces)} {unit}".strip(),
            who=f"{name} {words.does.get(side.why_code, '')}".strip(),
        )

    def _runout(self, began: datetime, ended: datetime | None) -> str:
        if ended is None:
            return gettext("out since {begin}").format(begin=self.clock(began))
        return gettext("ran out {begin} to {end}").format(begin=self.clock(began), end=self.clock(ended))

    def _call(self, call: CallChange) -> CallLine:
        return CallLine(
            where=call.station,
            kind=gettext(KIND_WORDS[call.kind]),
            note=call.note,
            called=self.clock(call.began_at),
            solved=self.clock(call.ended_at),
            taken_by=call.taken_by,
            stops_line=call.stops_line,
        )


@require_GET
@readers
def changes_page(request: HttpRequest, area: str) -> HttpResponseBase:
    """What changed since the shift began, or since `?since=`, until now or `?until=`."""
    viewer, now = viewer_of(request), timezone.now()
    found = area_of(viewer, area)
    zone, language = found.plant.time_zone, viewer.language
    shifts = shifts_before(found.plant_id, zone, now)
    begins = begins_at(loops_of(area))
    since_text, until_text = request.GET.get("since", ""), request.GET.get("until", "")
    context: dict[str, object] = {
        "area": found,
        "typed": since_text,
        "typed_until": until_text,
        "most": for_a_field(now, zone),
        "starts": [
            (write_instant(shift.begins_at, zone), clock(shift.begins_at, zone, now, language))
            for shift in shifts
        ],
    }
    try:
        until = checked(until_text, zone, now=now, begins=begins, language=language) if until_text else now
        since = first_instant(since_text, zone, now, begins, language, shifts[0].begins_at if shifts else now)
        if since > until:
            since, until = until, since
    except BadInstant as bad:
        return render(request, "past/changes.html", {**context, "why": str(bad)}, status=400)
    shown = changes(area, since, until, is_now=until == now)
    context["found"] = Comparison(shown, zone, language)
    context["since"] = write_instant(since, zone)
    context["field"] = for_a_field(since, zone)
    return render(request, "past/changes.html", context)


def first_instant(
    text: str, zone: str, now: datetime, begins: datetime | None, language: str, shift: datetime
) -> datetime:
    """The instant that was chosen, else the begin of the shift, or of the record where that is younger. Raises
    BadInstant."""
    if text:
        return checked(text, zone, now=now, begins=begins, language=language)
    if begins is None:
        raise BadInstant("empty")
    return max(shift, begins)
