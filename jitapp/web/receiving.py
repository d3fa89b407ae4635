"""Receiving: what is expected today, and the supplier's own label that closes the card.

Every form works without JavaScript. With it a device keeps what was scanned until the server has it (web/acts.py), and
htmx renews the page's part in place. Labels are kept whatever they say.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as mark
from django.views.decorators.http import require_GET, require_POST

from jitapp.accounts.models import new_uuid
from jitapp.kanban.vocabulary import Outcome
from jitapp.pull.scan_request import Source
from jitapp.rounds.gathering import Begun, Gathered, begun_labels, put_away, read_at_dock, take_gathered
from jitapp.rounds.labels import Slot
from jitapp.rounds.models import ReadLabel
from jitapp.rounds.receiving import (
    Receipt,
    Rest,
    TakenIn,
    answer_question,
    expected_today,
    find_labels,
    labels_since,
    open_labels,
    questions,
    settle_label,
)
from jitapp.rounds.vocabulary import LabelOutcome
from jitapp.web.act import Act, Doer, Done, kept, posted_act, refused, scanned
from jitapp.web.calls import members
from jitapp.web.camera import camera_words
from jitapp.web.phrases import Words, clock, plain, promise, words_of
from jitapp.web.rounds import said_of_command, scanning_source, script_data, tell
from jitapp.web.said import Said, said_of
from jitapp.web.visit import Viewer, readers, viewer_of

SHOWN_HOURS = 12

# Headline, sentence and next step of what no scan has answered.
SENTENCES = {
    "separators_lost": (
        mark("Label not readable"),
        mark("The scanner drops the separators of the label, so that its fields run together."),
        mark("Set the scanner to send GS and RS, or scan the card code."),
    ),
    "no_label": (
        mark("Matches nothing"),
        mark("This is neither a supplier's label nor a card."),
        mark("It is kept below. Scan the label with the part and the quantity, or the card."),
    ),
    "two_cards": (
        mark("Two cards in one read"),
        mark("The scanner read two card codes at once. Nothing was changed."),
        mark("Scan them one after the other."),
    ),
    "licence_before": (
        mark("Already taken in"),
        mark("This package came in at {at}, to card {card}. Nothing was changed."),
        mark("Take the next package."),
    ),
    "card_unknown": (
        mark("Matches nothing"),
        mark("The label names card {card}, which is not known in your plant."),
        mark("It is kept below. Put the package aside and ask your leader."),
    ),
    "kanban_unknown": (
        mark("Matches nothing"),
        mark("The kanban number on the label is none of ours, and the label says no part."),
        mark("It is kept below. Scan another label of the package, or the card."),
    ),
    "part_differs": (
        mark("Wrong part"),
        mark("The label says {label_part}, but card {card} is for {part}. Nothing was taken in."),
        mark("Put the package aside, and look for the right label."),
    ),
    "nothing_expected": (
        mark("Matches nothing"),
        mark("Nobody has asked a supplier for {label_part}."),
        mark("It is kept below. Put the package aside and ask your leader."),
    ),
    "choose": (
        mark("Which card?"),
        mark("The label of {label_part} names no card of ours."),
        mark("Choose the card that the package fills."),
    ),
    "less": (
        mark("Fewer than asked"),
        mark("{sofar} of {expected} for card {card}. Nothing was taken in yet."),
        mark("Do more packages follow, or is this all?"),
    ),
    "more": (
        mark("More than asked"),
        mark("{sofar} for card {card}, which asked for {expected}. Nothing was taken in yet."),
        mark("Take it in with a reason, or put the package aside."),
    ),
    "part_kept": (
        mark("Package kept"),
        mark("{sofar} of {expected} for card {card} are there."),
        mark("Scan the next package of this card."),
    ),
}
SLOT_WORDS = {
    Slot.PART: mark("Part"),
    Slot.QUANTITY: mark("Quantity"),
    Slot.KANBAN: mark("Card"),
    Slot.LICENCE: mark("Licence plate"),
    Slot.LOT: mark("Lot"),
    Slot.SERIAL: mark("Serial number"),
    Slot.NOTE: mark("Delivery note"),
    Slot.SUPPLIER: mark("Supplier"),
}
# As a scan's outcome says it: what is asked, or must be settled, stands on the page for whoever is there.
OUTCOMES = {
    LabelOutcome.TAKEN: Outcome.APPLIED,
    LabelOutcome.PART: Outcome.APPLIED,
    LabelOutcome.REPEATED: Outcome.ALREADY,
    LabelOutcome.ASKED: Outcome.PARKED,
    LabelOutcome.REFUSED: Outcome.REFUSED,
    LabelOutcome.UNMATCHED: Outcome.REFUSED,
}
LOOKS = {
    LabelOutcome.TAKEN: "ok",
    LabelOutcome.PART: "ok",
    LabelOutcome.REPEATED: "amber",
    LabelOutcome.ASKED: "amber",
    LabelOutcome.REFUSED: "red",
    LabelOutcome.UNMATCHED: "red",
}
OUTCOME_WORDS = {
    LabelOutcome.TAKEN: mark("taken in"),
    LabelOutcome.PART: mark("package kept"),
    LabelOutcome.REPEATED: mark("came before"),
    LabelOutcome.ASKED: mark("not answered"),
    LabelOutcome.REFUSED: mark("refused"),
    LabelOutcome.UNMATCHED: mark("matches nothing"),
}
STATES = {
    LabelOutcome.TAKEN: "ok",
    LabelOutcome.PART: "move",
    LabelOutcome.REPEATED: "ok",
    LabelOutcome.ASKED: "soon",
    LabelOutcome.REFUSED: "act",
    LabelOutcome.UNMATCHED: "act",
}
SHORT_REASONS = (mark("supplier sent fewer"), mark("some are damaged"), mark("counted fewer"))
MORE_REASONS = (mark("supplier sent more"), mark("counted more"))


@require_GET
@readers
def receiving_page(request: HttpRequest) -> HttpResponseBase:
    """What is expected today, with the box for labels."""
    viewer = viewer_of(request)
    context = _context(request, viewer) | script_data(request, viewer)
    return render(request, "rounds/receiving.html", context)


@require_GET
@readers
def receiving_now(request: HttpRequest) -> HttpResponseBase:
    """The part of the page that renews itself."""
    return render(request, "rounds/receiving_now.html", _context(request, viewer_of(request)))


@require_POST
@members
def receiving_scan(request: HttpRequest) -> HttpResponseBase:
    """One read, or an answer to what was asked about a label, of a page without JavaScript (else web/acts.py)."""
    do = "take-in" if request.POST.get("label") else "receive"
    return _after(request, do)


@require_POST
@members
def receiving_settle(request: HttpRequest, label: UUID) -> HttpResponseBase:
    """Says what was done about a label that matched nothing or was refused."""
    return _after(request, "settle", label)


@require_POST
@members
def receiving_gathered(request: HttpRequest, label: UUID) -> HttpResponseBase:
    """Takes in a label that is gathered from its barcodes, or puts it away."""
    return _after(request, "put-away" if "away" in request.POST else "gathered", label)


def _after(request: HttpRequest, do: str, label: UUID | None = None) -> HttpResponseBase:
    viewer = viewer_of(request)
    if not viewer.plant_ids:
        raise Http404(gettext("You are not a member of any plant."))
    act = posted_act(request, do)
    if label is not None:
        act = replace(act, label=str(label))
    done = DOERS[do](act, scanning_source(request, viewer), timezone.now())
    tell(request, done.said)
    return redirect("receiving")


# -- what is done, with or without JavaScript ----------------------------------------------------------------------
def receive_act(act: Act, source: Source, now: datetime) -> Done:
    """A label, one of its barcodes, or a card."""
    if not act.code.strip():
        sentence = gettext("There is no code. Scan the label or the card, or type its code.")
        return refused(Said("red", gettext("Not readable"), sentence))
    if command := said_of_command(act.code):
        return kept(command)
    found = read_at_dock(_receipt(act, act.code), source=source, now=now)
    if isinstance(found, TakenIn):
        return taken_in(found, source.language)
    return kept(said_of_piece(found))


def answer_act(act: Act, source: Source, now: datetime) -> Done:
    """What the receiver says about a label: its card, that more packages follow, or that this is all."""
    found = answer_question(_receipt(act, ""), source=source, now=now)
    return taken_in(found, source.language) if found is not None else _no_label()


def gathered_act(act: Act, source: Source, now: datetime) -> Done:
    """Takes in a label with the barcodes that were scanned."""
    label = act.label_id
    found = take_gathered(label, _receipt(act, ""), source=source, now=now) if label else None
    return taken_in(found, source.language) if found is not None else _no_label()


def put_away_act(act: Act, source: Source, now: datetime) -> Done:
    """Forgets a label that was begun."""
    label = act.label_id
    if label is None or not put_away(label, source=source, now=now):
        return _no_label()
    return kept(
        Said("calm", gettext("Put away"), gettext("The label is not taken in. Scan it again when you like."))
    )


def settle_act(act: Act, source: Source, now: datetime) -> Done:
    """What was done about a label that matched nothing or was refused."""
    label = act.label_id
    if not act.note.strip():
        missing = gettext("Say what was done, then press again.")
        return refused(Said("amber", gettext("NOT RECORDED"), missing, code="note_missing"))
    if label is not None and settle_label(label, act.note, source=source, now=now):
        return kept(Said("ok", gettext("Settled"), gettext("The label is kept with what was done.")))
    already = Said("amber", gettext("Settled already"), gettext("Somebody else was faster."))
    return Done(already, Outcome.ALREADY)


DOERS: dict[str, Doer] = {
    "receive": receive_act,
    "take-in": answer_act,
    "gathered": gathered_act,
    "put-away": put_away_act,
    "settle": settle_act,
}


def _receipt(act: Act, raw: str) -> Receipt:
    rest: Rest = "follows" if act.rest == "follows" else "all" if act.rest == "all" else ""
    return Receipt(
        act.told.id,
        raw,
        card=act.card,
        reason=act.reason,
        rest=rest,
        answers=act.label_id,
        occurred_at=act.told.occurred_at,
        sent_at=act.told.sent_at,
    )


def _no_label() -> Done:
    gone = gettext("This label is settled already, or belongs to another plant.")
    return Done(Said("amber", gettext("Settled already"), gone), Outcome.ALREADY)


def taken_in(taken: TakenIn, language: str) -> Done:
    """What became of a label. One that asks, or that somebody must settle, waits on the page."""
    said = said_of_label(taken, language)
    if taken.answer is not None:
        return scanned(taken.answer, said)
    return Done(said, OUTCOMES[LabelOutcome(taken.kept.outcome)])


def said_of_piece(found: Gathered) -> Said:
    """What is said of one barcode of a label."""
    piece, begun = found.piece, found.begun
    word = gettext(SLOT_WORDS[Slot(piece.slot)]) if piece.slot in set(Slot) else piece.identifier
    named = f"{word}: {piece.value}."
    if found.how == "twice":
        return Said("calm", gettext("Already counted"), named)
    if found.how == "another":
        return Said(
            "amber",
            gettext("Another label?"),
            f"{named} {gettext('It belongs to a new label; the one before is not taken in yet.')}",
            gettext("Take the one before in below, or put it away."),
        )
    if begun.missing:
        missing = ", ".join(gettext(SLOT_WORDS[slot]) for slot in begun.missing)
        return Said("ok", gettext("Barcode kept"), named, gettext("Still missing: {}.").format(missing))
    return Said("ok", gettext("Barcode kept"), named)


def said_of_label(taken: TakenIn, language: str) -> Said:
    """The answer to a label: the scan's, or why none was made."""
    kept, container = taken.kept, taken.container
    if taken.answer is not None:
        return said_of(taken.answer)
    look = LOOKS[LabelOutcome(kept.outcome)]
    if kept.code not in SENTENCES:  # a receipt that was sent again: what became of it
        return Said(look, gettext(OUTCOME_WORDS[LabelOutcome(kept.outcome)]).upper(), kept.card or kept.part)
    headline, message, step = (gettext(text) for text in SENTENCES[kept.code])
    before = taken.before
    facts = {
        "card": (before.card if before else kept.card) or "-",
        "label_part": kept.part or "-",
        "part": container.part if container else "-",
        "sofar": plain(taken.sofar) if taken.sofar is not None else "-",
        "expected": plain(container.expected) if container else "-",
        "at": clock(before.at, before.plant.time_zone, timezone.now(), language) if before else "-",
    }
    return Said(look, headline, message.format(**facts), step, code=kept.code)


def _asked(taken: TakenIn, language: str) -> dict[str, object]:
    """What the receiver is asked about a label, each answer a button."""
    label, container = taken.kept, taken.container
    reasons: tuple[str, ...] = ()
    if container is not None:
        reasons = SHORT_REASONS if label.code == "less" else MORE_REASONS
    return {
        "label": label,
        "what": label.code,
        "said": said_of_label(taken, language),
        "choices": [(each, str(new_uuid())) for each in taken.choices],
        "reasons": [gettext(reason) for reason in reasons],
        "follows_id": str(new_uuid()),
        "all_id": str(new_uuid()),
    }


def _begun(begun: Begun) -> dict[str, object]:
    """A label that is gathered: what its barcodes say, and what is missing."""
    names = {str(slot): gettext(word) for slot, word in SLOT_WORDS.items()}
    return {
        "begun": begun,
        "first": begun.rows[0],
        "said": [(names.get(slot, slot), value) for slot, value in begun.said.items()],
        "missing": [(names[slot], slot in (Slot.PART, Slot.QUANTITY)) for slot in begun.missing],
        "take_id": str(new_uuid()),
        "away_id": str(new_uuid()),
    }


def _context(request: HttpRequest, viewer: Viewer) -> dict[str, object]:
    now, words = timezone.now(), words_of(viewer.language)
    today, later = expected_today(viewer.plant_ids, now=now)
    sought = request.GET.get("q", "").replace("\0", "")[:80]
    found = find_labels(viewer.plant_ids, sought) if sought else labels_since(viewer.plant_ids, _since(now))
    unsettled = open_labels(viewer.plant_ids)
    asked = [each for each in questions(unsettled, viewer.plant_ids) if each.choices or each.container]
    questioned = {each.kept.pk for each in asked}
    suppliers = [
        (name, [(row, str(new_uuid()), _promised(row.container, now, words)) for row in rows])
        for name, rows in today.items()
    ]
    return {
        "suppliers": suppliers,
        "expected": sum(len(rows) for rows in today.values()),
        "late": sum(row.late for rows in today.values() for row in rows),
        "later": later,
        "open": [_shown(label) for label in unsettled if label.pk not in questioned],
        "to_settle": len(unsettled),
        "labels": [_shown(label) for label in found],
        "sought": sought,
        "asks": [_asked(each, viewer.language) for each in asked],
        "begun": [_begun(each) for each in begun_labels(viewer.plant_ids)],
        "may_act": request.user.is_authenticated,
        "camera": camera_words(),
        "fresh_id": str(new_uuid()),
        "now": now,
        "now_ms": int(now.timestamp() * 1000),
        "words": words,
    }


def _since(now: datetime) -> datetime:
    return now - timedelta(hours=SHOWN_HOURS)


def _promised(container: object, now: datetime, words: Words) -> str:
    promised_at = getattr(container, "promised_at", None)
    due_at = getattr(container, "due_at", None)
    if promised_at is None:
        return ""
    late = due_at is not None and promised_at > due_at
    return promise(promised_at, late, getattr(container, "time_zone", "UTC"), now, words)


def _shown(label: ReadLabel) -> dict[str, object]:
    outcome = LabelOutcome(label.outcome)
    why = gettext(SENTENCES[label.code][0]) if label.code in SENTENCES else ""
    return {
        "label": label,
        "state": "ok"
        if label.settled_as and outcome not in (LabelOutcome.TAKEN, LabelOutcome.PART)
        else STATES[outcome],
        "word": gettext(OUTCOME_WORDS[outcome]),
        "why": why,
        "raw": label.raw if len(label.raw) <= 60 else label.raw[:60] + "…",
    }
