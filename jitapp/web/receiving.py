"""Receiving: what is expected today, and the supplier's own label that closes the card.

Every form works without JavaScript; with it, htmx swaps the page's part in place. Labels are kept whatever they say.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as mark
from django.views.decorators.http import require_GET, require_POST

from jitapp.accounts.models import new_uuid
from jitapp.rounds.models import ReadLabel
from jitapp.rounds.receiving import (
    Receipt,
    Rest,
    TakenIn,
    expected_today,
    find_labels,
    labels_since,
    open_labels,
    settle_label,
    take_in,
)
from jitapp.rounds.vocabulary import LabelOutcome
from jitapp.web.calls import members
from jitapp.web.camera import camera_words
from jitapp.web.phrases import Words, clock, plain, promise, words_of
from jitapp.web.rounds import posted_id, said_of_command, scanning_source, script_words
from jitapp.web.said import Said, said_of
from jitapp.web.visit import Viewer, posted_name, readers, viewer_of

CODE_LIMIT = 4_096
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
    context = _context(request, viewer) | {"script_words": script_words(viewer)}
    return render(request, "rounds/receiving.html", context)


@require_GET
@readers
def receiving_now(request: HttpRequest) -> HttpResponseBase:
    """The part of the page that renews itself."""
    return render(request, "rounds/receiving_now.html", _context(request, viewer_of(request)))


@require_POST
@members
def receiving_scan(request: HttpRequest) -> HttpResponseBase:
    """One label, or what was said about it: the card that was chosen, why its quantity differs."""
    viewer = viewer_of(request)
    raw = request.POST.get("code", "")[:CODE_LIMIT]
    if not viewer.plant_ids:
        raise Http404(gettext("You are not a member of any plant."))
    if not raw.strip():
        sentence = gettext("There is no code. Scan the label or the card, or type its code.")
        return _after(request, viewer, Said("red", gettext("Not readable"), sentence))
    if command := said_of_command(raw):
        return _after(request, viewer, command)
    rest: Rest = "follows" if request.POST.get("rest") == "follows" else ""
    if request.POST.get("rest") == "all":
        rest = "all"
    receipt = Receipt(
        id=posted_id(request),
        raw=raw,
        card=posted_name(request, "card")[:40],
        reason=request.POST.get("reason", "").replace("\0", "")[:200],
        rest=rest,
    )
    taken = take_in(receipt, source=scanning_source(request, viewer), now=timezone.now())
    said = said_of_label(taken, viewer.language)
    asks = _asks(taken, raw) if taken.kept.outcome == LabelOutcome.ASKED else None
    return _after(request, viewer, said, asks)


@require_POST
@members
def receiving_settle(request: HttpRequest, label: UUID) -> HttpResponseBase:
    """Says what was done about a label that matched nothing or was refused."""
    viewer = viewer_of(request)
    note = request.POST.get("note", "").replace("\0", "")
    done = settle_label(label, note, source=scanning_source(request, viewer), now=timezone.now())
    said = (
        Said("ok", gettext("Settled"), gettext("The label is kept with what was done."))
        if done
        else Said("amber", gettext("Settled already"), gettext("Somebody else was faster."))
    )
    return _after(request, viewer, said)


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


def _asks(taken: TakenIn, raw: str) -> dict[str, object]:
    """What the receiver is asked, each answer a button that sends the same label again."""
    chosen = taken.kept.card
    choices = [(each, str(new_uuid())) for each in taken.choices]
    reasons: tuple[str, ...] = ()
    if taken.kept.code in ("less", "more"):
        reasons = SHORT_REASONS if taken.kept.code == "less" else MORE_REASONS
    return {
        "what": taken.kept.code,
        "raw": raw,
        "card": chosen,
        "choices": choices,
        "reasons": [gettext(reason) for reason in reasons],
        "follows_id": str(new_uuid()),
        "all_id": str(new_uuid()),
    }


def _after(
    request: HttpRequest, viewer: Viewer, said: Said, asks: dict[str, object] | None = None
) -> HttpResponseBase:
    """The part with the answer; without htmx the page, where an answer that asks needs its buttons."""
    if request.headers.get("HX-Request") == "true":
        return render(
            request, "rounds/receiving_now.html", _context(request, viewer, said, asks) | {"oob": True}
        )
    if asks is not None:
        context = _context(request, viewer, said, asks) | {"script_words": script_words(viewer)}
        return render(request, "rounds/receiving.html", context)
    messages.info(request, " ".join(filter(None, (f"{said.headline}.", said.message, said.next))))
    return redirect("receiving")


def _context(
    request: HttpRequest, viewer: Viewer, said: Said | None = None, asks: dict[str, object] | None = None
) -> dict[str, object]:
    now, words = timezone.now(), words_of(viewer.language)
    today, later = expected_today(viewer.plant_ids, now=now)
    sought = request.GET.get("q", "").replace("\0", "")[:80]
    found = find_labels(viewer.plant_ids, sought) if sought else labels_since(viewer.plant_ids, _since(now))
    suppliers = [
        (name, [(row, str(new_uuid()), _promised(row.container, now, words)) for row in rows])
        for name, rows in today.items()
    ]
    return {
        "suppliers": suppliers,
        "expected": sum(len(rows) for rows in today.values()),
        "late": sum(row.late for rows in today.values() for row in rows),
        "later": later,
        "open": [_shown(label) for label in open_labels(viewer.plant_ids)],
        "labels": [_shown(label) for label in found],
        "sought": sought,
        "said": said,
        "asks": asks,
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
