"""The words of state sheets and of the page that enters them: what is wrong with a line, what booking it would do."""

from __future__ import annotations

from collections.abc import Collection

from django.conf import settings
from django.utils import timezone
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_noop as mark

from jitapp.kanban.vocabulary import Outcome
from jitapp.plant.models import Area
from jitapp.printing.entering import NOT_YET, Foretold
from jitapp.printing.models import StateSheet
from jitapp.printing.state_sheets import addresses, newest_of, ways
from jitapp.web.phrases import clock

NOT_YOURS = mark("Leaders, planners and administrators enter state sheets. Give the sheet to yours.")
PROBLEMS = {
    "code_missing": mark("Scan the code of the card, or type it."),
    "unknown_card": mark("Nobody here knows {}. Compare it with the sheet."),
    "what_missing": mark("Say what happened."),
    "time_missing": mark("Write the time of day, such as 14:05."),
    "time_unreadable": mark("{} is no day and time. Write 14:05."),
    "future": mark("{} is still to come. Check the day and the time."),
    "quantity_unreadable": mark("{} is no quantity. Write a number, or leave it empty for the usual one."),
    "twice": mark("Line {} says the same already. Remove one of them."),
}
LOOKS = {
    Outcome.APPLIED: "ok",
    Outcome.ALREADY: "calm",
    Outcome.BOUNCED: "calm",
    Outcome.PARKED: "soon",
    Outcome.REFUSED: "act",
}


def look_of(outcome: str) -> str:
    """The look of a line with this answer."""
    return LOOKS[Outcome(outcome)] if outcome else ""


def told(each: Foretold) -> tuple[str, str]:
    """Look and sentence of a line that is not booked: what is wrong with it, or what booking it would do."""
    line = each.line
    if line.problem:
        return "act", gettext(PROBLEMS[line.problem]).format(line.about)
    if each.again is not None:
        by, at = each.again.person, each.again.booked_at or timezone.now()
        zone = line.card.time_zone if line.card is not None else "UTC"
        when = clock(at, zone, timezone.now())
        said = gettext("Entered before by {name}, {at}: booking it adds nothing.").format(name=by, at=when)
        return "calm", said
    answer = each.answer
    if answer is None:
        return "", ""
    text = " ".join(text for text in (_stranger(each), str(answer["message"])) if text)
    if answer["code"] in NOT_YET:
        return "soon", gettext("{} It is booked all the same if another line asks for it first.").format(text)
    return look_of(str(answer["outcome"])), text


def _stranger(each: Foretold) -> str:
    name = each.line.stranger
    return gettext("Nobody here is called {}; you are on record for it.").format(name) if name else ""


def way_of(way: str, sheet: StateSheet | None, area: Area, language: str) -> dict[str, str]:
    """How sheets are handed out, and what became of the newest one."""
    names = {"folder": gettext("Printer folder"), "mail": gettext("Mail")}
    to = str(settings.PAPER_FOLDER) if way == "folder" else ", ".join(addresses(area))
    if sheet is None:
        return {"name": names[way], "to": to, "look": "soon", "text": gettext("No sheet is made yet.")}
    problem = sheet.folder_problem if way == "folder" else sheet.mail_problem
    done = sheet.filed_at if way == "folder" else sheet.mailed_at

    def at(instant: object) -> str:
        return clock(instant, area.plant.time_zone, timezone.now(), language)  # type: ignore[arg-type]

    if problem:
        again = at(sheet.try_at) if sheet.try_at else gettext("with the next sheet")
        said = gettext(
            "Sheet {number} was not handed out: {why}. Tried {n} times, next time {again}. Whoever looks after the"
            " server puts it right."
        ).format(number=sheet.number, why=problem.rstrip("."), n=sheet.tries, again=again)
        return {"name": names[way], "to": to, "look": "act", "text": said}
    if done is None:
        waits = gettext("Sheet {} is about to be handed out.").format(sheet.number)
        return {"name": names[way], "to": to, "look": "soon", "text": waits}
    said = gettext("Sheet {number} was handed out, {at}.").format(number=sheet.number, at=at(done))
    return {"name": names[way], "to": to, "look": "ok", "text": said}


def faults(plant_ids: Collection[int]) -> list[tuple[str, str, str]]:
    """Areas of these plants whose newest sheet could not be made or handed out: code, name, and the sentence."""
    areas = list(Area.objects.filter(plant__in=plant_ids).select_related("plant"))
    found = []
    for sheet in newest_of([area.pk for area in areas]):
        if sheet.problem:
            said = gettext("Sheet {number} could not be made: {why}.")
            found.append((sheet.area, said.format(number=sheet.number, why=sheet.problem.rstrip("."))))
        for way in ways(sheet.area):
            told = way_of(way, sheet, sheet.area, get_language() or "en")
            if told["look"] == "act":
                found.append((sheet.area, f"{told['name']}: {told['text']}"))
    return [(area.code, area.name, said) for area, said in found]


def script_words() -> dict[str, str]:
    """What the page says by itself."""
    return {
        "kept": gettext("Kept"),
        "keeping": gettext("Keeping …"),
        "offline": gettext("No connection: this browser keeps the line and sends it later."),
        "remove": gettext("Remove line {}"),
        "booking": gettext("Booking: {} lines are left …"),
        "fault": gettext("That did not work. Nothing is lost; press again."),
        "line": gettext("Line {}"),
    }
