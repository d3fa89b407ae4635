"""What acknowledge and promise share: a promise is for a time to come, and a late one is said."""

from __future__ import annotations

from datetime import datetime

from jitapp.kanban.conditions import WITHHELD
from jitapp.kanban.state import Card, Loop
from jitapp.kanban.step import Reply, Situation, no, words
from jitapp.kanban.vocabulary import SignalState


def not_out(s: Situation) -> Reply | None:
    """Why there is no signal to answer: none is open, it is withheld, or it was rejected. None: it is out."""
    turn = s.card.turn
    if turn is None:
        return no("no_open_turn")
    if turn.signal_state is SignalState.REJECTED:
        return no("signal_rejected")
    return no("not_released") if turn.signal_state in WITHHELD else None


def too_late(s: Situation) -> Reply:
    """The supply side has gone beyond an answer."""
    return no("too_late_to_answer", status=words(s.card.position))


def promise_refused(s: Situation) -> Reply | None:
    """A promise lies ahead; the same one again changes nothing."""
    promised, turn = s.scan.promised_at, s.card.turn
    if promised is None or turn is None:
        return None
    if promised < s.at:
        return no("promise_past", promised=promised)
    return no("already_promised", promised=promised) if promised == turn.promised_at else None


def promise_said(s: Situation, code: str) -> Reply:
    """The reply to an applied promise; a later one than the due date is said, and the buyer told."""
    promised, turn = s.scan.promised_at, s.card.turn
    if promised is None:
        return Reply(code)
    is_late = turn is not None and turn.due_at is not None and promised > turn.due_at
    return Reply(code, {"promised": promised}, ("promise_late",) if is_late else ())


def unanswered(loop: Loop, now: datetime) -> list[Card]:
    """The cards whose signal the supplier should have answered by now (`ack_within_minutes`, in its working time), and
    for which nobody has noted it yet."""
    config = loop.config
    return [
        card
        for card in loop.cards.values()
        if config.ack_required
        and card.turn is not None
        and card.turn.released_at is not None
        and card.turn.signal_state is SignalState.RELEASED
        and not card.turn.step
        and not card.turn.answer_late
        and config.calendar.working_minutes_between(card.turn.released_at, now) > config.ack_within_minutes
    ]
