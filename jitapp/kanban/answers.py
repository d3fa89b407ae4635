"""Every sentence a scan is answered with, in one place: what happened, and what to do next.

`ANSWERS[code]` is the English pattern with named facts; doors translate the pattern and fill it in (`say`). The code
is what machines read and what the receipt keeps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from string import Formatter
from zoneinfo import ZoneInfo

from jitapp.kanban.state import text
from jitapp.kanban.vocabulary import Intent, Outcome, ScanClass, ScreenState, Sound, SupplyStatus


@dataclass(frozen=True, slots=True)
class Sentence:
    """A pattern for the big line and one for the next step."""

    outcome: Outcome
    message: str
    next: str


def _applied(message: str, next_step: str) -> Sentence:
    return Sentence(Outcome.APPLIED, message, next_step)


def _refused(message: str, next_step: str) -> Sentence:
    return Sentence(Outcome.REFUSED, message, next_step)


_CARD = "{part} card {number} of {of}"

ANSWERS: dict[str, Sentence] = {
    # -- applied -------------------------------------------------------------------------------
    "activated": _applied(_CARD + " is in circulation and {status}.", "Put the card on its container."),
    "opened": _applied(_CARD + " is IN USE.", "Take from this container until it is empty."),
    "emptied": _applied(
        _CARD + " is EMPTY. Asked {supply} to make {quantity}.", "Put the bin on the return rack."
    ),
    "emptied_sent": _applied(
        _CARD + " is EMPTY. Asked {supply} to send {quantity}.", "Put the bin on the return rack."
    ),
    "emptied_ordered": _applied(
        _CARD + " is EMPTY. Ordered {quantity} from {supply}.", "Put the bin on the return rack."
    ),
    "emptied_under_way": _applied(
        _CARD + " is EMPTY. {supply} is already filling it again.", "Put the bin on the return rack."
    ),
    "emptied_gathers": _applied(
        _CARD + " is EMPTY. {gathered} of {batch} gathered; the signal goes out with the batch.",
        "Put the bin on the return rack.",
    ),
    "emptied_pending_doc": _applied(
        _CARD + " is EMPTY. The order waits for its document number.", "Put the bin on the return rack."
    ),
    "emptied_in_error": _applied(
        _CARD + " is EMPTY, but it stands in ERROR: {problem}.", "Put the bin aside; the buyer puts it right."
    ),
    "emptied_waits": _applied(
        _CARD + " is EMPTY and waits until {supply} releases it.", "Put the bin on the return rack."
    ),
    "emptied_enough": _applied(_CARD + " is EMPTY. There is enough stock: nothing was asked.", "Go on."),
    "emptied_surplus": _applied(
        _CARD + " is EMPTY and no longer needed: no signal went out.", "Put this card in the red box."
    ),
    "emptied_last": _applied(_CARD + " is EMPTY. It was its last turn.", "Put this card in the red box."),
    "emptied_on_hold": _applied(
        _CARD + " is EMPTY. No signal went out: {reason}.", "Put the bin aside and tell your leader."
    ),
    "started": _applied(_CARD + ": started. Make {quantity}.", "Scan again when the container is full."),
    "completed": _applied(_CARD + ": {quantity} done.", "Put the container where it is collected."),
    "loaded": _applied(_CARD + " is on its way to {demand}.", "Bring it to {demand} and scan it there."),
    "received": _applied(_CARD + " is FULL at {demand} with {quantity}.", "Put the container in its place."),
    "aborted": _applied(
        _CARD + ": filling was broken off. The signal stands.", "Start it again when you can."
    ),
    "undone": _applied("Undone: {part} card {number} of {of} is {status} again.", "Go on."),
    "swapped": _applied(
        _CARD + " took the place of card {other} on a full container.",
        "Bring it to {demand}; put card {other} in the receiving post.",
    ),
    # -- applied: cards and turns ---------------------------------------------------------------
    "held": _applied(_CARD + " is on hold: {given}.", "Leave the container where it is."),
    "hold_released": _applied(_CARD + " takes part again.", "Go on."),
    "released": _applied(_CARD + ": the signal went out to {supply}.", "Nothing else to do."),
    "lost": _applied(_CARD + " is reported lost.", "Print its replacement and put it on the container."),
    "found": _applied(_CARD + " was found and takes part again.", "Put it on its container."),
    "found_removed": _applied(
        _CARD + " was found, but its replacement takes part.", "Put this card in the red box."
    ),
    "found_last": _applied(_CARD + " was found; its last turn is over.", "Put this card in the red box."),
    "removed": _applied(_CARD + " is withdrawn.", "Put this card in the red box."),
    "counted": _applied(
        _CARD + ": counted {found}, expected {expected_quantity}; the difference of {difference} is posted.",
        "Look for the cause of the difference.",
    ),
    "counted_right": _applied(_CARD + ": counted {found}, as expected.", "Nothing else to do."),
    "corrected": _applied(_CARD + " is {status} now, by correction.", "Check that the container is there."),
    "acknowledged": _applied(_CARD + ": {supply} has seen the signal.", "Fill it by {due}."),
    "promised": _applied(_CARD + ": promised for {promised}.", "Keep the promise, or change it in time."),
    "rejected": _applied(_CARD + ": {supply} cannot fill it: {given}.", "The buyer looks for another way."),
    "docked": _applied(
        _CARD + ": {quantity} arrived at the dock.", "Bring it to {demand} and scan it there."
    ),
    "cancelled": _applied(
        _CARD + ": the signal is taken back: {given}.", "Keep the card until it is released again."
    ),
    "recalled": _applied(
        _CARD + ": the signal is taken back; the card waits.", "It goes out again once it is released."
    ),
    "supply_short": _applied(
        _CARD + ": there is no full container at {supply}. The card waits for the next one.",
        "Nothing to do: its signal goes out by itself, before the others.",
    ),
    "recovered": _applied(_CARD + ": put right; it goes on as {status}.", "Go on with the next step."),
    # -- nothing to do ---------------------------------------------------------------------------
    "already": Sentence(
        Outcome.ALREADY, _CARD + " is already {status} since {since}{by}.", "Nothing to do. Due {due}."
    ),
    "just_moved": Sentence(
        Outcome.ALREADY,
        _CARD + " was just scanned here: {status} since {since}{by}.",
        "Nothing to do. Choose the step on the screen if you mean the next one.",
    ),
    "already_short": Sentence(
        Outcome.ALREADY,
        _CARD + " already waits for the next full container at {supply}, since {since}{by}.",
        "Nothing to do: its signal goes out by itself, before the others.",
    ),
    "already_held": Sentence(Outcome.ALREADY, _CARD + " is already on hold.", "Nothing to do."),
    "already_lost": Sentence(Outcome.ALREADY, _CARD + " is already reported lost.", "Nothing to do."),
    "already_acknowledged": Sentence(
        Outcome.ALREADY, _CARD + " is already acknowledged.", "Nothing to do. Due {due}."
    ),
    "already_docked": Sentence(Outcome.ALREADY, _CARD + " is already at the dock.", "Bring it to {demand}."),
    "late_history": Sentence(
        Outcome.ALREADY,
        _CARD + ": the scan of {occurred} came late; the container has been filled since.",
        "Nothing to do: it is in the history.",
    ),
    "late_passed": Sentence(
        Outcome.ALREADY,
        _CARD + ": the scan of {occurred} came late; the card is past that step.",
        "Nothing to do: it is in the history.",
    ),
    "bounced": Sentence(Outcome.BOUNCED, _CARD + ": read twice, counted once.", "Nothing to do."),
    # -- kept for a person -----------------------------------------------------------------------
    "late_conflict": Sentence(
        Outcome.PARKED,
        _CARD + ": this scan of {occurred} came late; the card has moved on since.",
        "Nothing was changed. Your leader settles it.",
    ),
    "late_too_old": Sentence(
        Outcome.PARKED,
        _CARD + ": this scan of {occurred} is older than {hours} hours.",
        "Nothing was changed. Your leader settles it.",
    ),
    # -- refused: the code -----------------------------------------------------------------------
    "not_a_card_code": _refused("Not a card code: {raw}.", "Scan the kanban code, not the maker's label."),
    "bad_check": _refused("Bad read: {raw}.", "Scan again."),
    "unknown_card": _refused(
        "Card not known: {raw}. It may be from another plant.",
        "Keep it aside and tell your leader; it is logged.",
    ),
    "not_a_card": _refused("{raw} is a {kind}, not a card.", "Scan the card on the container."),
    # -- refused: the card or the loop -------------------------------------------------------------
    "card_new": _refused(_CARD + " is not in circulation yet.", "Activate it first: is the container full?"),
    "card_held": _refused(
        _CARD + " is on hold: {held}.", "Leave the container where it is; ask quality or your leader."
    ),
    "card_retired": _refused(_CARD + " is withdrawn.", "Put this card in the red box."),
    "card_lost": _refused(_CARD + " was reported lost.", "Bring it to your leader: it was found."),
    "card_in_error": _refused(
        _CARD + " stands in ERROR: {problem}.", "Leave it; the buyer puts it right, or a leader corrects it."
    ),
    "card_active": _refused(_CARD + " is already in circulation.", "Scan it when the container is empty."),
    "loop_on_hold": _refused("{part} is on hold: {reason}.", "Do not fill it; ask your leader."),
    "loop_not_active": _refused(
        "The loop of {part} is not in use.", "Put the card aside and tell your planner."
    ),
    # -- refused: place and person -----------------------------------------------------------------
    "wrong_station": _refused(
        "Wrong place: this card belongs at {demand}, filled by {supply}.", "Bring it there."
    ),
    "unknown_station": _refused("There is no station {station}.", "Choose your station again."),
    "wrong_device_station": _refused(
        "This device stands at another station than {station}.", "Use the device of that station."
    ),
    "station_missing": _refused("This device has no station.", "Choose your station, then scan again."),
    "not_your_side": _refused(
        "{intent} is done at {place}, not here.", "Scan the card there, or ask your leader."
    ),
    "not_allowed": _refused("You may not {intent} here.", "Ask your leader to do it."),
    # -- refused: the rule -------------------------------------------------------------------------
    "overproduction": _refused(
        _CARD + " is {status}: nothing was asked for.", "Do not make more. Take a card that is asked for."
    ),
    "not_released": _refused(_CARD + ": the signal is not released yet.", "Wait for the signal."),
    "wrong_step": _refused(_CARD + " is {status}; {intent} does not follow.", "Expected now: {expected}."),
    "step_missing": _refused(_CARD + ": {missing} must be scanned first.", "Scan it where that is done."),
    "step_prohibited": _refused(_CARD + ": this loop has no step {status}.", "Expected now: {expected}."),
    "wip_limit": _refused(
        "{supply} already has {count} of {limit} cards in process.", "Finish one first, then start this one."
    ),
    "too_soon": _refused(
        _CARD + " came full only at {since}; it cannot be empty before {earliest}.",
        "Scan the container that is really empty.",
    ),
    "quantity_unreadable": _refused(
        "{quantity} is no quantity of {part} ({decimals} decimals).", "Enter it again."
    ),
    "quantity_exceeds_container": _refused(
        "{quantity} is more than a container holds ({most}).",
        "Count again, or use another card for the rest.",
    ),
    "quantity_needs_reason": _refused(
        "{quantity} is not what was asked ({asked}).", "Scan again and choose a reason for the difference."
    ),
    "line_stopped": _refused(
        "The line of {supply} stands still: {reason}.", "Solve the call first, then start."
    ),
    "not_ready": _refused("{supply} is not ready: {missing}.", "Make the check, tick it, then start."),
    "out_of_sequence": _refused(
        "{ahead} signals came to {supply} before this one.",
        "Take the oldest first, or scan again with a reason.",
    ),
    "receiver_not_ready": _refused(
        "{demand} has no room: {count} of {limit} containers are full.",
        "Keep it here until {demand} has room.",
    ),
    "reason_missing": _refused(_CARD + ": this needs a reason.", "Scan again and choose the reason."),
    "quantity_missing": _refused(_CARD + ": how many are in it?", "Count them and enter the number."),
    "status_missing": _refused(_CARD + ": which status is true?", "Choose the status and scan again."),
    "promise_missing": _refused(_CARD + ": when will it come?", "Enter the date and send it again."),
    "count_not_here": _refused(
        _CARD + " is {status}: its container is not here.", "Receive it first, or correct it."
    ),
    "correct_needs_signal": _refused(
        _CARD + " has no released signal, so it cannot be {status}.", "Correct it to EMPTY first."
    ),
    "not_in_error": _refused(_CARD + " does not stand in ERROR.", "Go on with the next step."),
    "nothing_to_release": _refused(_CARD + " has no signal that waits.", "Nothing to release."),
    "not_lost": _refused(_CARD + " is not reported lost.", "Scan it as usual."),
    "remove_under_way": _refused(
        _CARD + ": its container is under way.", "Wait until it has come in, or cancel the signal first."
    ),
    "no_open_turn": _refused(_CARD + " has no open signal.", "Nothing is asked of you."),
    "too_late_to_answer": _refused(_CARD + " is already {status}.", "Go on with the next step."),
    "too_late_to_cancel": _refused(
        _CARD + ": {supply} has begun to fill it.", "Call {supply}, or receive it."
    ),
    "recall_needs_leader": _refused(
        _CARD + ": its signal went out more than {window} seconds ago.",
        "Ask the leader of {supply}: a leader can still take it back.",
    ),
    "cancel_needs_consent": _refused(
        _CARD + ": {supply} has promised it.", "Ask {supply}; a leader can cancel it then."
    ),
    "not_on_its_way": _refused(_CARD + " is {status}, not on its way.", "Scan it when it is sent."),
    "swap_incomplete": _refused(
        _CARD + ": now scan the card on the full container.",
        "Scan it within 60 seconds; nothing has changed yet.",
    ),
    "swap_other_part": _refused(
        "That container holds {other_part}, not {part}.", "Scan the card on a container of {part}."
    ),
    "swap_not_full": _refused(
        "The container of card {other} is {other_status}, not FULL.", "Take the card from a full container."
    ),
    "swap_not_oldest": _refused(
        "Card {oldest} has stood there longer.", "Take the oldest first, or scan again with a reason."
    ),
    "undo_too_late": _refused(
        _CARD + ": the last scan is older than {window} seconds.", "Ask your leader for a correction."
    ),
    "undo_not_yours": _refused(_CARD + " was last moved by somebody else.", "Ask them or your leader."),
    "undo_acted_on": _refused(
        _CARD + ": {supply} has already acted on it ({status}).", "Ask your leader for a correction."
    ),
    "undo_nothing": _refused(_CARD + " has no scan that can be undone.", "Ask your leader for a correction."),
    "move_not_known": _refused(
        "{intent} cannot be scanned for this kind of loop.", "Expected now: {expected}."
    ),
}

# What is said behind the sentence where the scan stands, but something about it should be looked at.
WARNINGS: dict[str, str] = {
    "full_only_shortly": "It was full only a short while: is it really empty?",
    "promise_late": "The promise is later than the due date: the buyer is told.",
    "another_open": "Card {open} is still in use: use it up first.",
    "empty_inferred": "Nobody scanned it empty; that was assumed. Check that the loop's cards stand as shown.",
    "wrong_card": "Did you mean card {meant}?",
    "stale_label": "Its label is out of date: a container holds {holds} now. Have it printed anew.",
}

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


@dataclass(frozen=True, slots=True)
class Feedback:
    """How an answer is heard and shown (the resolution table of a scan)."""

    sound: Sound
    state: ScreenState


_OF_OUTCOME = {
    Outcome.APPLIED: Feedback(Sound.RISING, ScreenState.APPLIED),
    Outcome.ALREADY: Feedback(Sound.LEVEL, ScreenState.ATTENTION),
    Outcome.BOUNCED: Feedback(Sound.TICK, ScreenState.REPEAT),
    Outcome.REFUSED: Feedback(Sound.LEVEL, ScreenState.REFUSED),
    Outcome.PARKED: Feedback(Sound.LEVEL, ScreenState.PARKED),
}
_OF_CODE = {
    "bad_check": Feedback(Sound.FALLING, ScreenState.UNREAD),
    "unknown_card": Feedback(Sound.FALLING, ScreenState.UNKNOWN),
    "not_a_card_code": Feedback(Sound.LEVEL, ScreenState.FOREIGN),
    "not_a_card": Feedback(Sound.LEVEL, ScreenState.FOREIGN),
    "card_held": Feedback(Sound.FALLING, ScreenState.WITHDRAWN),
    "card_retired": Feedback(Sound.FALLING, ScreenState.WITHDRAWN),
    "card_lost": Feedback(Sound.FALLING, ScreenState.WITHDRAWN),
    "wrong_station": Feedback(Sound.LEVEL, ScreenState.WRONG_PLACE),
    "not_your_side": Feedback(Sound.LEVEL, ScreenState.WRONG_PLACE),
    "wrong_device_station": Feedback(Sound.LEVEL, ScreenState.WRONG_PLACE),
    "card_in_error": Feedback(Sound.FALLING, ScreenState.WITHDRAWN),
    "overproduction": Feedback(Sound.FALLING, ScreenState.REFUSED),
}
_OF_CLASS = {ScanClass.WRONG_CARD: ScreenState.WRONG_CARD, ScanClass.STALE_LABEL: ScreenState.STALE_LABEL}


def feedback(code: str, *, kind: ScanClass | None = None, warned: bool = False) -> Feedback:
    """The sound and the screen of an answer: by its code, else its outcome; a wrong card and a stale label are shown
    as such whatever became of the scan."""
    outcome = ANSWERS[code].outcome
    found = _OF_CODE.get(code, _OF_OUTCOME[outcome])
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
    named = {name for pattern in (*patterns, what_next) for name in _names(pattern)}
    shown = {name: _in(translate, name, _show(facts[name], time_zone, now)) for name in named}
    return " ".join(pattern.format_map(shown) for pattern in patterns), what_next.format_map(shown)


@lru_cache(maxsize=1_000)
def _names(pattern: str) -> tuple[str, ...]:
    """The facts that a pattern names."""
    return tuple(name for _, name, _, _ in Formatter().parse(pattern) if name)


def _in(translate: Callable[[str], str], name: str, shown: str) -> str:
    """A fact in the reader's language, if it is a word of ours; as it is if there is no word for it there."""
    key = _WORDS_OF.get(name, {}).get(shown)
    if key is None:
        return shown
    found = translate(key)
    return shown if found == key else found


def _show(fact: object, time_zone: ZoneInfo, now: datetime) -> str:
    if isinstance(fact, datetime):
        local = fact.astimezone(time_zone)
        pattern = "%H:%M" if local.date() == now.astimezone(time_zone).date() else "%Y-%m-%d %H:%M"
        return local.strftime(pattern)
    if isinstance(fact, Decimal):
        return text(fact)
    if fact is None:
        return "-"
    return str(fact)
