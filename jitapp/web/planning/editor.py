"""A loop as its planner keeps it: cards and containers, hold, successor, one-off cards, notes, what is planned.

Every change is shown before it is made, with the cards to print and the cards to collect; those lists stay until they
are done. Whoever saves over somebody else's change sees both versions first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_http_methods, require_POST

from jitapp.accounts.models import new_uuid
from jitapp.kanban.vocabulary import CardStatus, Intent, LoopStatus
from jitapp.plant.changes import remarks_of
from jitapp.plant.masters.parts import PARTS
from jitapp.plant.models import Loop, LoopRevision
from jitapp.printing.queries import due_count
from jitapp.pull import actions
from jitapp.pull.reading.lists import sizes_of
from jitapp.pull.reading.plans import PlanCard, PlanState, changes_of, revisions_of, state_of
from jitapp.pull.scan_request import Conflict, ScanRequest
from jitapp.web.calls import members, source_of
from jitapp.web.happenings import kind_word
from jitapp.web.leading import led_plants
from jitapp.web.masters.drawing import MOST_OPTIONS, options_of, said_of_old
from jitapp.web.masters.kinds import KINDS
from jitapp.web.masters.pages import PLANNERS, Past, add_remark, planned_plant
from jitapp.web.masters.refusals import refused
from jitapp.web.masters.words import label, word_of
from jitapp.web.phrases import Words, clock, plain, words_of
from jitapp.web.planning.acts import TITLES, Act, Changed, Preview, Wrong, act_of, done, preview
from jitapp.web.planning.picture import picture, where
from jitapp.web.visit import Viewer, people, viewer_of

NOT_SENT = ("csrfmiddlewaretoken", "confirm")


@dataclass(frozen=True, slots=True)
class CardLine:
    """A card with where it is now."""

    card: PlanCard
    where: str
    word: str


@dataclass(frozen=True, slots=True)
class Planned:
    """What is planned for the loop, or was: in words, with who said so and what became of it."""

    number: int
    at: datetime
    says: list[str]
    by: str
    reason: str
    state: str  # waits, done or refused
    refusal: str


@require_http_methods(["GET", "HEAD", "POST"])
@people
def edit_page(request: HttpRequest, loop_id: int) -> HttpResponseBase:
    """GET shows the loop; POST shows what an act would bring about, and with `confirm` does it."""
    viewer = viewer_of(request)
    loop = loop_of(viewer, loop_id)
    if request.method != "POST":
        return _page(request, viewer, loop)
    planned_plant(request, loop.plant)
    if "again" in request.POST:
        return _page(request, viewer, loop, typed=request.POST.dict())
    name, typed = request.POST.get("do", ""), request.POST.dict()
    if name == "remark":
        add_remark(request, KINDS["loops"], loop.plant, loop.code)
        return redirect("loop-edit", loop.pk)
    if request.POST.get("seen", "") != str(loop.version):
        return _page(request, viewer, loop, typed=typed, conflict=True)
    try:
        act = act_of(name, loop, request.POST, source_of(viewer))
        if "confirm" not in request.POST:
            return _shown(request, viewer, loop, preview(loop, act))
        done(loop, act, request.POST["seen"])
    except Wrong as wrong:
        return _page(request, viewer, loop, typed=typed, problems={wrong.name: str(wrong)})
    except Changed:
        return _page(request, viewer, loop_of(viewer, loop_id), typed=typed, conflict=True)
    except actions.Refused as why:
        return _page(request, viewer, loop, typed=typed, problems={"": refused(why)})
    messages.success(request, _told(act, loop, viewer.language))
    return redirect("loop-edit", loop.pk)


@require_POST
@members
def collected(request: HttpRequest, loop_id: int) -> HttpResponseBase:
    """Ticked cards lie in the red box: each is withdrawn by the rules' own step."""
    viewer = viewer_of(request)
    loop = loop_of(viewer, loop_id)
    planned_plant(request, loop.plant)
    out = {card.code for card in state_of(loop.pk).collect}
    count = 0
    for code in request.POST.getlist("card"):
        if code not in out:
            continue
        asked = ScanRequest(id=new_uuid(), code=code, intent=Intent.REMOVE, reason=gettext("in the red box"))
        answer = actions.scan(asked, source=source_of(viewer), now=timezone.now())
        if isinstance(answer, Conflict):
            messages.error(request, answer.message)
        elif answer.body["outcome"] == "applied":
            count += 1
        else:
            messages.error(request, f"{answer.body['message']} {answer.body['next']}")
    said = ngettext("{} card is withdrawn.", "{} cards are withdrawn.", count).format(count)
    if count:
        messages.success(request, said)
    else:
        messages.info(request, gettext("Tick the cards that lie in the red box."))
    return redirect("loop-edit", loop.pk)


def loop_of(viewer: Viewer, loop_id: int) -> Loop:
    """A loop of the viewer's plants. Raises Http404."""
    rows = Loop.objects.select_related("part", "plant", "demand__area", "supply__supplier")
    loop = rows.filter(pk=loop_id, plant_id__in=viewer.plant_ids).first()
    if loop is None:
        raise Http404(gettext("There is no such loop, or it belongs to a plant you are not a member of."))
    return loop


def _told(act: Act, loop: Loop, language: str) -> str:
    said = " ".join(act.says)
    if act.at is not None:
        at = clock(act.at, loop.plant.time_zone, timezone.now(), language, exact=True)
        return gettext("Planned for {at}. {said}").format(at=at, said=said)
    return gettext("Done. {}").format(said)


# -- what is shown before it is made ----------------------------------------------------------------
def _shown(request: HttpRequest, viewer: Viewer, loop: Loop, seen: Preview) -> HttpResponseBase:
    words, act = words_of(viewer.language), seen.act
    later = [card for card in seen.coming if act.name == "size" and card.asked is not None]
    context = {
        "loop": loop,
        "title": gettext(TITLES[act.name]),
        "act": act,
        "seen": seen,
        "says": act.says,
        "coming": [
            gettext(
                "Card {number} is on its way with {quantity} {unit} and comes as it was asked for."
            ).format(number=card.number, quantity=plain(card.asked), unit=loop.part.unit)
            for card in later
            if card.asked is not None
        ],
        "again": _lines(loop, seen.again, words),
        "collect": _lines(loop, seen.collect, words),
        "leaving": _lines(loop, seen.leaving, words),
        "back": _lines(loop, seen.back, words),
        "when": clock(act.at, loop.plant.time_zone, timezone.now(), viewer.language, exact=True)
        if act.at is not None
        else "",
        "sent": [
            (name, value)
            for name, value in request.POST.items()
            if name not in ("csrfmiddlewaretoken", "confirm")
        ],
        "danger": act.name == "retire",
    }
    return render(request, "planning/preview.html", context)


def _lines(loop: Loop, cards: list[PlanCard], words: Words) -> list[CardLine]:
    return [
        CardLine(
            card,
            where(card, supply=loop.supply.name, demand=loop.demand.name, words=words),
            words.tiles.get(
                card.card_status if card.card_status != CardStatus.IN_CIRCULATION else card.supply_status, ""
            ),
        )
        for card in cards
    ]


# -- the page ---------------------------------------------------------------------------------------
def _page(
    request: HttpRequest,
    viewer: Viewer,
    loop: Loop,
    *,
    typed: Mapping[str, str] | None = None,
    problems: Mapping[str, str] | None = None,
    conflict: bool = False,
) -> HttpResponseBase:
    words, state = words_of(viewer.language), state_of(loop.pk)
    size = sizes_of([loop.pk]).get(loop.pk, 0)
    values = {
        "cards": str(size),
        "quantity": plain(loop.quantity),
        "s_cards": str(size or 2),
        "x_cards": "1",
        "x_turns": "1",
    }
    values |= {"s_quantity": plain(loop.quantity)}
    history = history_of_loop(loop)
    retired = loop.status == LoopStatus.RETIRED
    context = {
        "loop": loop,
        "plant": loop.plant,
        "kind": kind_word(loop.kind),
        "status": word_of(LoopStatus, loop.status),
        "size": size,
        "plans": loop.plant in led_plants(request, PLANNERS),
        "open": not retired,
        "values": values | dict(typed or {}),
        "chosen": (typed or {}).get("do", ""),
        "problems": dict(problems or {}),
        "conflict": (history[0] if history else None) if conflict else None,
        "conflicts": conflict,
        "parts": [
            pair for pair in options_of(PARTS, loop.plant)[:MOST_OPTIONS] if pair[0] != loop.part.number
        ],
        "history": history,
        "planned": [planned_words(one, loop) for one in revisions_of(loop.pk)],
        "picture": picture(
            part=loop.part.number,
            supply=loop.supply.name,
            demand=loop.demand.name,
            cards=len(state.cards),
            unit=loop.part.unit,
            quantity=plain(loop.quantity),
            there=state.cards,
        ),
    } | _to_do(loop, state, viewer, words)
    status = 409 if conflict else 422 if problems else 200
    return render(request, "planning/edit.html", context, status=status)


def _to_do(loop: Loop, state: PlanState, viewer: Viewer, words: Words) -> dict[str, object]:
    """What people on the floor have still to do: print, collect, wait for empty containers."""
    circulating = [
        card for card in state.cards if card.card_status in (CardStatus.IN_CIRCULATION, CardStatus.HELD)
    ]
    return {
        "to_print": 0 if loop.status == LoopStatus.RETIRED else due_count(loop.pk, viewer.plant_ids),
        "collect": _lines(loop, list(state.collect), words),
        "due": state.due,
        "leaving": _lines(loop, list(state.leaving), words),
        "begin": [card for card in state.cards if card.card_status == CardStatus.NEW],
        "all_out": bool(state.collect) and not circulating and loop.status == LoopStatus.ACTIVE,
        "cards": _lines(loop, [card for card in state.cards if not card.out], words),
    }


def planned_words(one: LoopRevision, loop: Loop) -> Planned:
    """What was planned, in words."""
    says = []
    if one.values.get("cards") is not None:
        says.append(gettext("{} cards").format(one.values["cards"]))
    if one.values.get("quantity") is not None:
        says.append(
            gettext("{quantity} {unit} in a container").format(
                quantity=one.values["quantity"], unit=loop.part.unit
            )
        )
    if one.values.get(actions.SUCCESSOR):
        says.append(gettext("loop {} follows").format(one.values[actions.SUCCESSOR]))
    state = "done" if one.applied_at else "refused" if one.refused_at else "waits"
    return Planned(one.number, one.effective_at, says, str(one.author or ""), one.reason, state, one.refusal)


def history_of_loop(loop: Loop) -> list[Past]:
    """Who changed the loop from what to what, and what was noted, newest first."""
    kind = KINDS["loops"]
    found = [
        Past(
            change.at,
            change.by,
            lines=[
                (label("loops", name), said_of_old(kind, name, before), said_of_old(kind, name, after))
                for name, (before, after) in change.changed.items()
            ]
            + ([(label("loops", "cards"), "", str(change.cards))] if change.cards is not None else []),
            reason=change.reason,
        )
        for change in changes_of(loop.pk)
    ]
    found += [
        Past(one.at, str(one.person), remark=one.remark)
        for one in remarks_of(loop.plant_id, "loops", [loop.code])
    ]
    return sorted(found, key=lambda one: one.at, reverse=True)
