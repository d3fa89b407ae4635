"""Every sentence a scan is answered with: what happened, and what to do next.

`ANSWERS[code]` is the English pattern with named facts; pages and the API translate the pattern and fill it in (`say`).
The code is what machines read and what the receipt keeps. Sentences that only one intent gives stand with its step
(kanban/steps/) and are added by it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from string import Formatter
from zoneinfo import ZoneInfo

from jitapp.kanban.bidi import from_the_right, isolated
from jitapp.kanban.state import text
from jitapp.kanban.vocabulary import (
    Intent,
    Outcome,
    ScanClass,
    ScreenState,
    Sound,
    StationKind,
    SupplyStatus,
)


@dataclass(frozen=True, slots=True)
class Feedback:
    """How an answer is heard and shown (the resolution table of a scan)."""

    sound: Sound
    state: ScreenState


@dataclass(frozen=True, slots=True)
class Sentence:
    """A pattern for the big line and one for the next step; `headline` is two or three words for a screen (empty: the
    outcome says it). `kind` is what such a scan is, seen in its sequence, where the code alone says it; `feedback` how
    it is heard and shown, where not as its outcome is."""

    outcome: Outcome
    message: str
    next: str
    headline: str = ""
    kind: ScanClass | None = None
    feedback: Feedback | None = None


ANSWERS: dict[str, Sentence] = {}


def add_answer(code: str, sentence: Sentence) -> None:
    """Adds a sentence to the catalogue. Raises ValueError for a code that has one."""
    if code in ANSWERS:
        raise ValueError(f"{code} has a sentence already.")
    ANSWERS[code] = sentence


def applied(message: str, next_step: str, headline: str = "") -> Sentence:
    """What was done."""
    return Sentence(Outcome.APPLIED, message, next_step, headline)


def already(message: str, next_step: str, headline: str = "", kind: ScanClass | None = None) -> Sentence:
    """What had been done before."""
    return Sentence(Outcome.ALREADY, message, next_step, headline, kind)


def refused(
    message: str,
    next_step: str,
    headline: str = "",
    kind: ScanClass | None = None,
    feedback: Feedback | None = None,
) -> Sentence:
    """What a rule forbids."""
    return Sentence(Outcome.REFUSED, message, next_step, headline, kind, feedback)


CARD = "{part} card {number} of {of}"
WITHDRAWN = Feedback(Sound.FALLING, ScreenState.WITHDRAWN)
WRONG_PLACE = Feedback(Sound.LEVEL, ScreenState.WRONG_PLACE)
FOREIGN = Feedback(Sound.LEVEL, ScreenState.FOREIGN)

_COMMON: dict[str, Sentence] = {
    "swapped": applied(
        CARD + " took the place of card {other} on a full container.",
        "Bring it to {demand}; put card {other} in the receiving post.",
    ),
    "swapped_out": applied(
        CARD + " took the place of card {other} on a full container.",
        "Bring it to {demand}; put card {other} in the red box.",
    ),
    "supply_short": applied(
        CARD + ": there is no full container at {supply}. The card waits for the next one.",
        "Nothing to do: its signal goes out by itself, before the others.",
    ),
    "already": already(CARD + " is already {status} since {since}{by}.", "Nothing to do. Due {due}."),
    "already_done": already(CARD + " is already {status} since {since}{by}.", "Nothing to do."),
    "just_moved": already(
        CARD + " was just scanned here: {status} since {since}{by}.",
        "Nothing to do. Choose the step on the screen if you mean the next one.",
        headline="Just scanned",
        kind=ScanClass.REPEATED_SIGNAL,
    ),
    "already_short": already(
        CARD + " already waits for the next full container at {supply}, since {since}{by}.",
        "Nothing to do: its signal goes out by itself, before the others.",
    ),
    "late_history": already(
        CARD + ": the scan of {occurred} came late; the container has been filled since.",
        "Nothing to do: it is in the history.",
        kind=ScanClass.LATE,
    ),
    "late_passed": already(
        CARD + ": the scan of {occurred} came late; the card is past that step.",
        "Nothing to do: it is in the history.",
        kind=ScanClass.LATE,
    ),
    "bounced": Sentence(
        Outcome.BOUNCED, CARD + ": read twice, counted once.", "Nothing to do.", kind=ScanClass.BOUNCE
    ),
    "late_conflict": Sentence(
        Outcome.PARKED,
        CARD + ": this scan of {occurred} came late; the card has moved on since.",
        "Nothing was changed. Your leader settles it.",
        kind=ScanClass.LATE,
    ),
    "late_too_old": Sentence(
        Outcome.PARKED,
        CARD + ": this scan of {occurred} is older than {hours} hours.",
        "Nothing was changed. Your leader settles it.",
        kind=ScanClass.LATE,
    ),
    "station_gone": Sentence(
        Outcome.PARKED,
        CARD + " was scanned at {station}, which is no station of this plant any more.",
        "Nothing was changed. Your leader settles it.",
        kind=ScanClass.LATE,
    ),
    "person_gone": Sentence(
        Outcome.PARKED,
        CARD + " was scanned at {occurred} by somebody who works here no more.",
        "Nothing was changed. Your leader settles it.",
        kind=ScanClass.LATE,
    ),
    "not_a_card_code": refused(
        "Not a card code: {raw}.",
        "Scan the kanban code, not the maker's label.",
        headline="Not a kanban code",
        feedback=FOREIGN,
    ),
    "badge_scanned": refused(
        "That is the badge of {name}. No card was scanned.",
        "Sign in with it under “Who is here”, then scan the card.",
        headline="A badge, no card",
        feedback=FOREIGN,
    ),
    "bad_check": refused(
        "Bad read: {raw}.",
        "Scan again.",
        headline="Bad read",
        feedback=Feedback(Sound.FALLING, ScreenState.UNREAD),
    ),
    "two_codes": refused(
        "Several codes in one read: {raw}.",
        "Nothing was counted. Scan one card after the other.",
        headline="Two codes at once",
        feedback=Feedback(Sound.FALLING, ScreenState.UNREAD),
    ),
    "makers_label": refused(
        "That is a maker's label: {raw}.",
        "Scan the kanban code on the card.",
        headline="Maker's label",
        feedback=FOREIGN,
    ),
    "separators_lost": refused(
        "This label cannot be read: the scanner leaves out what separates its fields.",
        "Scan the kanban code, and tell your leader that this scanner must be set to send control characters.",
        headline="Label cannot be read",
        feedback=FOREIGN,
    ),
    "unknown_card": refused(
        "Card not known: {raw}. It may be from another plant.",
        "Keep it aside and tell your leader; it is logged.",
        headline="Card not known",
        feedback=Feedback(Sound.FALLING, ScreenState.UNKNOWN),
    ),
    "not_a_card": refused(
        "{raw} is a {kind}, not a card.",
        "Scan the card on the container.",
        headline="Not a card",
        feedback=FOREIGN,
    ),
    "card_new": refused(CARD + " is not in circulation yet.", "Activate it first: is the container full?"),
    "card_held": refused(
        CARD + " is on hold: {held}.",
        "Leave the container where it is; ask quality or your leader.",
        headline="Card is on hold",
        feedback=WITHDRAWN,
    ),
    "card_retired": refused(
        CARD + " is withdrawn.",
        "Put this card in the red box.",
        headline="Card is withdrawn",
        kind=ScanClass.RETIRED_CARD,
        feedback=WITHDRAWN,
    ),
    "card_lost": refused(
        CARD + " was reported lost.",
        "Bring it to your leader: it was found.",
        headline="Card was lost",
        kind=ScanClass.RETIRED_CARD,
        feedback=WITHDRAWN,
    ),
    "card_in_error": refused(
        CARD + " stands in ERROR: {problem}.",
        "Leave it; the buyer puts it right, or a leader corrects it.",
        feedback=WITHDRAWN,
    ),
    "loop_on_hold": refused(
        "{part} is on hold: {reason}.", "Do not fill it; ask your leader.", headline="On hold"
    ),
    "loop_not_active": refused(
        "The loop of {part} is not in use.", "Put the card aside and tell your planner."
    ),
    "settings_unreadable": refused(
        "{why} The settings of loop {loop} cannot be used.",
        "Tell your planner; scan again once that is corrected.",
    ),
    "wrong_station": refused(
        "Wrong place: this card belongs at {demand}, filled by {supply}.",
        "Bring it there.",
        headline="Wrong place",
        kind=ScanClass.WRONG_STATION,
        feedback=WRONG_PLACE,
    ),
    "unknown_station": refused("There is no station {station}.", "Choose your station again."),
    "wrong_device_station": refused(
        "This device stands at another station than {station}.",
        "Use the device of that station.",
        kind=ScanClass.WRONG_STATION,
        feedback=WRONG_PLACE,
    ),
    "station_missing": refused(
        "This device has no station.", "Choose your station, then scan again.", headline="Choose a station"
    ),
    "not_your_side": refused(
        "{intent} is done at {place}, not here.",
        "Scan the card there, or ask your leader.",
        kind=ScanClass.WRONG_STATION,
        feedback=WRONG_PLACE,
    ),
    "not_allowed": refused("You may not {intent} here.", "Ask your leader to do it."),
    "overproduction": refused(
        CARD + " is {status}: nothing was asked for.",
        "Do not make more. Take a card that is asked for.",
        headline="Nothing was asked for",
        feedback=Feedback(Sound.FALLING, ScreenState.REFUSED),
    ),
    "not_released": refused(CARD + ": the signal is not released yet.", "Wait for the signal."),
    "signal_rejected": refused(CARD + ": {supply} rejected it.", "The buyer must release it again first."),
    "wrong_step": refused(CARD + " is {status}; {intent} does not follow.", "Expected now: {expected}."),
    "step_missing": refused(CARD + ": {missing} must be scanned first.", "Scan it where that is done."),
    "step_prohibited": refused(CARD + ": this loop has no step {status}.", "Expected now: {expected}."),
    "wip_limit": refused(
        "{supply} already has {count} of {limit} cards in process.",
        "Finish one first, then start this one.",
        headline="Station is full",
    ),
    "too_soon": refused(
        CARD + " came full only at {since}; it cannot be empty before {earliest}.",
        "Scan the container that is really empty.",
    ),
    "quantity_unreadable": refused(
        "{quantity} is no quantity of {part} ({decimals} decimals).", "Enter it again."
    ),
    "quantity_exceeds_container": refused(
        "{quantity} is more than a container holds ({most}).",
        "Count again, or use another card for the rest.",
    ),
    "quantity_needs_reason": refused(
        "{quantity} is not what was asked ({asked}).", "Scan again and choose a reason for the difference."
    ),
    "line_stopped": refused(
        "The line of {supply} stands still: {reason}.", "Solve the call first, then start."
    ),
    "not_ready": refused("{supply} is not ready: {missing}.", "Make the check, tick it, then start."),
    "out_of_sequence": refused(
        "{ahead} signals came to {supply} before this one.",
        "Take the oldest first, or scan again with a reason.",
    ),
    "receiver_not_ready": refused(
        "{demand} has no room: {count} of {limit} containers are full.",
        "Keep it here until {demand} has room.",
    ),
    "reason_missing": refused(CARD + ": this needs a reason.", "Scan again and choose the reason."),
    "promise_missing": refused(CARD + ": when will it come?", "Enter the date and send it again."),
    "no_open_turn": refused(CARD + " has no open signal.", "Nothing to do until a signal goes out."),
    "too_late_to_answer": refused(CARD + " is already {status}.", "Go on with the next step."),
    "swap_incomplete": refused(
        CARD + ": now scan the card on the full container.",
        "Scan it within 60 seconds; nothing has changed yet.",
    ),
    "swap_other_part": refused(
        "That container holds {other_part}, not {part}.", "Scan the card on a container of {part}."
    ),
    "swap_not_full": refused(
        "The container of card {other} is {other_status}, not FULL.", "Take the card from a full container."
    ),
    "swap_not_oldest": refused(
        "Card {oldest} has stood there longer.", "Take the oldest first, or scan again with a reason."
    ),
    "move_not_known": refused(
        "{intent} cannot be scanned for this kind of loop.", "Expected now: {expected}."
    ),
    "card_blocked": refused(
        CARD + " is blocked: {held}.",
        "Leave the container where it is; ask quality.",
        headline="Container is blocked",
        feedback=WITHDRAWN,
    ),
    "turn_closed": refused(
        CARD + ": that turn is closed; the card has gone on.",
        "Ask for the open turns and act on one of them.",
    ),
    "answer_missing": refused(
        CARD + ": {supply} must acknowledge the signal first.", "Acknowledge it, then go on."
    ),
    "components_missing": refused(
        "{supply} has run out of {components}.",
        "Wait for it, or call for material.",
        headline="Parts are missing",
    ),
    "swap_needs_withdrawal": refused(
        CARD + " leaves its container only when a withdrawal card takes its place.",
        "Scan the withdrawal card, then this card.",
        headline="Withdrawal card first",
    ),
}
for _code, _sentence in _COMMON.items():
    add_answer(_code, _sentence)

# An emptied container's sentence says who is asked to do what.
_ASKED = {StationKind.SUPERMARKET: "emptied_sent", StationKind.SUPPLIER: "emptied_ordered"}


def asked_code(code: str, supply_kind: StationKind) -> str:
    """The code as it is told: `emptied` differs by what filling means at the supply source."""
    return _ASKED.get(supply_kind, code) if code == "emptied" else code


# Words that stand inside sentences, and how they are asked for in another language: `empty` the step is not `empty`
# the state of a container.
_STATUSES = {str(status).replace("_", " "): str(status).replace("_", " ") for status in SupplyStatus}
_STEPS = {
    word: f"{word} (step)" for word in (*map(str, Intent), "empty it", "load, or receive", "ask your leader")
}
_KINDS = {word: f"{word} (thing)" for word in ("bin", "station", "part", "person")}
_WORDS_OF: dict[str, dict[str, str]] = {
    "status": _STATUSES,
    "other_status": _STATUSES,
    "missing": _STATUSES,
    "intent": _STEPS,
    "expected": _STEPS,
    "kind": _KINDS,
    "reason": {"loop on hold": "loop on hold"},
}
WORDS: frozenset[str] = frozenset(key for words in _WORDS_OF.values() for key in words.values())


_OF_OUTCOME = {
    Outcome.APPLIED: Feedback(Sound.RISING, ScreenState.APPLIED),
    Outcome.ALREADY: Feedback(Sound.LEVEL, ScreenState.ATTENTION),
    Outcome.BOUNCED: Feedback(Sound.TICK, ScreenState.REPEAT),
    Outcome.REFUSED: Feedback(Sound.LEVEL, ScreenState.REFUSED),
    Outcome.PARKED: Feedback(Sound.LEVEL, ScreenState.PARKED),
}
_OF_CLASS = {ScanClass.WRONG_CARD: ScreenState.WRONG_CARD, ScanClass.STALE_LABEL: ScreenState.STALE_LABEL}


def feedback(code: str, *, kind: ScanClass | None = None, warned: bool = False) -> Feedback:
    """The sound and the screen of an answer: by its code, else its outcome; a wrong card and a stale label are shown
    as such whatever became of the scan."""
    outcome = ANSWERS[code].outcome
    found = ANSWERS[code].feedback or _OF_OUTCOME[outcome]
    if kind in _OF_CLASS:
        # What was done is heard as done; what was not is for the eyes.
        return Feedback(found.sound, _OF_CLASS[kind])
    if warned and outcome is Outcome.APPLIED:
        return Feedback(found.sound, ScreenState.FLAGGED)
    return found


def say(
    code: str,
    facts: Mapping[str, object],
    *,
    time_zone: ZoneInfo,
    now: datetime,
    translate: Callable[[str], str] = str,
    warnings: tuple[str, ...] = (),
) -> tuple[str, str]:
    """The sentence with its (translated) warnings, and the next step; instants in the plant's own time, quantities as
    short decimals."""
    sentence = ANSWERS[code]
    patterns = (translate(sentence.message), *warnings)
    what_next = translate(sentence.next)
    named, worded, reversed_ = _names((*patterns, what_next))
    shown = {name: _show(facts[name], time_zone, now) for name in named}
    for name in worded:
        shown[name] = _in(translate, name, shown[name])
    if reversed_:
        shown = {name: isolated(fact) for name, fact in shown.items()}
    return " ".join(pattern.format_map(shown) for pattern in patterns), what_next.format_map(shown)


@lru_cache(maxsize=1_000)
def _names(patterns: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...], bool]:
    """The facts that patterns name, those of them that are words of ours, and whether it is written from the right."""
    parsed = (part for pattern in patterns for part in Formatter().parse(pattern))
    named = tuple(dict.fromkeys(name for _, name, _, _ in parsed if name))
    return named, tuple(name for name in named if name in _WORDS_OF), from_the_right("".join(patterns))


def _in(translate: Callable[[str], str], name: str, shown: str) -> str:
    """A fact in the reader's language, if it is a word of ours; as it is if there is no word for it there."""
    key = _WORDS_OF[name].get(shown)
    if key is None:
        return shown
    found = translate(key)
    return shown if found == key else found


def _show(fact: object, time_zone: ZoneInfo, now: datetime) -> str:
    if isinstance(fact, str):
        return str(fact)
    if isinstance(fact, datetime):
        local = fact.astimezone(time_zone)
        pattern = "%H:%M" if local.date() == now.astimezone(time_zone).date() else "%Y-%m-%d %H:%M"
        return local.strftime(pattern)
    if isinstance(fact, Decimal):
        return text(fact)
    if fact is None:
        return "-"
    return str(fact)
