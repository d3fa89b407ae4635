"""When a buffer is dry, and why: the runout is open exactly while `conditions.is_dry` holds (rule C9).

In the ordinary case a runout begins and ends at the instant of the event that emptied the last usable container or
brought the first one. When something is told late, an instant that is past decides; then `revisions` computes all
runouts of the time since from the loop's history, in occurred order, and the ledger puts the register right.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise

from jitapp.kanban.conditions import all_withdrawn, is_dry, nothing_usable, participates, taking_part
from jitapp.kanban.events.loops import CauseFacts
from jitapp.kanban.kinds import KINDS
from jitapp.kanban.state import Change, Loop, Span, Turn
from jitapp.kanban.vocabulary import CardStatus, LoopStatus, Party, SupplyStatus

QUALITY = ("quality", Party.PERSON)  # all containers are held or blocked
NO_SIGNAL = ("no_signal", Party.PLANNER)  # nothing was ever asked for
ON_HOLD = ("loop_on_hold", Party.PLANNER)


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a loop is dry, and whose turn it was to act for the longest part of it."""

    reason: str
    party: str
    facts: CauseFacts


def cause_of(
    loop: Loop,
    until: datetime,
    *,
    quality: bool | None = None,
    cards: frozenset[int] | None = None,
    closed_since: Iterable[tuple[int, Turn]] = (),
) -> Cause:
    """The candidate cause while a runout is open, the final one at its close at `until`. `quality`: all containers were
    withdrawn until then; `cards` took part. None: as it is now. `closed_since`: turns that earlier transactions closed
    after `until`, where it lies in the past.

    All containers withdrawn for quality: that. Else the turn that was opened first should have come back first; what it
    waited for longest is the cause, counted over its stretches (standing.py) until then. Without any turn nothing was
    asked for.
    """
    if all_withdrawn(loop.cards.values()) if quality is None else quality:
        return Cause(*QUALITY, CauseFacts())
    took_part = taking_part(loop.cards.values()) if cards is None else cards
    there = [card for card in loop.cards.values() if card.id in took_part]
    numbers = {card.number for card in there}
    open_turns = [(card.number, card.turn) for card in there if card.turn is not None]
    ended = [(number, turn) for number, turn in (*closed_since, *loop.ended) if number in numbers]
    return _longest_wait([*open_turns, *ended], until)


def _longest_wait(turns: Iterable[tuple[int, Turn]], until: datetime) -> Cause:
    found = [
        (number, turn)
        for number, turn in turns
        if turn.opened_at <= until and (turn.closed_at is None or turn.closed_at >= until)
    ]
    if not found:
        return Cause(*NO_SIGNAL, CauseFacts())
    number, turn = min(found, key=lambda pair: (pair[1].opened_at, pair[0]))
    lengths: dict[tuple[str, str], timedelta] = {}
    for begun, next_one in zip(turn.stretches, (*turn.stretches[1:], None), strict=True):
        end = until if next_one is None else min(next_one.since, until)
        if not begun.reason or (begun.since > until and lengths):
            break
        key = (begun.reason, begun.owner)
        lengths[key] = lengths.pop(key, timedelta(0)) + max(timedelta(0), end - begun.since)
    if not lengths:
        return Cause(*NO_SIGNAL, CauseFacts())
    # Of equals the later one counts: it is what the turn waits for now.
    (reason, owner), length = max(reversed(lengths.items()), key=lambda item: item[1])
    return Cause(
        reason, owner, CauseFacts(number, int(length.total_seconds() // 60), _minutes(turn.opened_at, until))
    )


def _minutes(begin: datetime, end: datetime) -> int:
    return int((end - begin).total_seconds() // 60)


def dry_since(loop: Loop, at: datetime) -> datetime | None:
    """Since when the loop is dry, as it stands at `at`; None: it is not."""
    if not is_dry(loop, at):
        return None
    if not KINDS[loop.config.kind].ordered:
        return at
    due = min(
        card.turn.due_at
        for card in loop.cards.values()
        if participates(card) and card.turn is not None and card.turn.due_at is not None
    )
    return max(due, loop.usable_changed_at or due)


# -- what was told late ------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class DrySpan:
    """A stretch in which a loop was dry, computed from its history; `quality`: all its containers were withdrawn just
    before its end; `on_hold`: it ended because the loop was put on hold; `cards` took part just before its end."""

    begin: datetime
    end: datetime | None
    quality: bool
    cards: frozenset[int]
    on_hold: bool = False


@dataclass(slots=True)
class _Seen:
    """A card as history has shown it so far; `known` has for each fact the number of the event that told it."""

    supply_status: SupplyStatus = SupplyStatus.EMPTY
    card_status: CardStatus = CardStatus.NEW
    blocked: bool = False
    due_at: datetime | None = None
    known: dict[str, int] = field(default_factory=dict)

    def tell(self, name: str, fact: object, seq: int) -> None:
        """What was told last is true from its instant on, also where an earlier event told something later of it."""
        if seq >= self.known.get(name, 0):
            self.known[name] = seq
            setattr(self, name, fact)


def dry_spans(changes: Iterable[Change], *, ordered: bool, until: datetime) -> list[DrySpan]:
    """All stretches up to `until` in which the loop was dry, in order of time; what happened at one instant counts
    together, and a stretch of no length is none.

    `ordered`: a loop of orders is dry only while one of them is due.
    """
    timeline = sorted(changes, key=lambda change: (change.at, change.seq))
    instants = {change.at for change in timeline if change.at <= until}
    if ordered:
        instants |= {change.due_at for change in timeline if change.due_at and change.due_at <= until}
    history = _History(ordered)
    spans: list[DrySpan] = []
    place = 0
    for instant in sorted(instants):
        while place < len(timeline) and timeline[place].at <= instant:
            history.take(timeline[place])
            place += 1
        dry = history.dry(instant)
        last = spans[-1] if spans else None
        if last is None or last.end is not None:
            if dry:
                spans.append(DrySpan(instant, None, history.quality, history.taking_part))
        elif dry:
            spans[-1] = replace(last, quality=history.quality, cards=history.taking_part)
        else:
            spans[-1] = replace(last, end=instant, on_hold=not history.active)
    return spans


class _History:
    """A loop's cards along its changes."""

    def __init__(self, ordered: bool) -> None:
        self.ordered = ordered
        self.active = True
        self.been_full = False
        self.cards: dict[int, _Seen] = {}

    def take(self, change: Change) -> None:
        if change.loop_status is not None:
            self.active = change.loop_status is LoopStatus.ACTIVE
        if change.card is None:
            return
        card = self.cards.setdefault(change.card, _Seen())
        if change.supply_status is not None:
            card.tell("supply_status", change.supply_status, change.seq)
            self.been_full = self.been_full or change.supply_status is SupplyStatus.FULL
        if change.card_status is not None:
            card.tell("card_status", change.card_status, change.seq)
        if change.blocked is not None:
            card.tell("blocked", change.blocked, change.seq)
        if change.not_due or change.due_at is not None:
            card.tell("due_at", change.due_at, change.seq)

    @property
    def quality(self) -> bool:
        return all_withdrawn(self.cards.values())

    @property
    def taking_part(self) -> frozenset[int]:
        return frozenset(number for number, card in self.cards.items() if participates(card))

    def dry(self, at: datetime) -> bool:
        if not self.active or not self.been_full or not nothing_usable(self.cards.values()):
            return False
        taking_part = (card for card in self.cards.values() if participates(card))
        return not self.ordered or any(card.due_at and card.due_at <= at for card in taking_part)


@dataclass(frozen=True, slots=True)
class Revision:
    """What has to be written about one runout. `known` is the number it has in the register; None: it is new."""

    known: int | None
    begin: datetime
    end: datetime | None
    cause: Cause


def revisions(loop: Loop, since: datetime, until: datetime) -> list[Revision]:
    """The runouts from `since` on that the register does not have as they were, in order of time.

    A runout that overlaps one of the register keeps its number; one of the register that never was gets no length.
    """
    past = loop.past
    changes = [*(past.changes() if past else ()), *loop.fresh]
    known = {span.opened_seq: span for span in (past.runouts() if past else ())} | loop.register
    computed = [
        span
        for span in dry_spans(changes, ordered=KINDS[loop.config.kind].ordered, until=until)
        if span.end is None or span.end >= since
    ]
    register = sorted(
        (
            each
            for each in known.values()
            if each.closed_at != each.opened_at
            and (_reaches(each, since) or any(_overlap(each, span) for span in computed))
        ),
        key=lambda each: (each.opened_at, each.opened_seq),
    )
    ended = [*(past.turns(since) if past and computed else ()), *loop.ended]
    open_turns = [(card.number, card.turn) for card in loop.cards.values() if card.turn is not None]
    found: list[Revision] = []
    for span in computed:
        matches = [each for each in register if _overlap(each, span)]
        if _are_one(matches, span):
            register = [each for each in register if each not in matches]
            continue
        match = matches[0] if matches else None
        if match is not None:
            register.remove(match)
        cause = _cause_of_span(loop, span, [*ended, *open_turns], span.end or until)
        found.append(Revision(match.opened_seq if match else None, span.begin, span.end, cause))
    nothing = Cause("", "", CauseFacts())
    found += [Revision(each.opened_seq, each.opened_at, each.opened_at, nothing) for each in register]
    # What ends or never was comes first, so that no two runouts of a loop are ever open at once.
    return sorted(found, key=lambda each: (each.end is None, each.known is None, each.begin))


def _cause_of_span(loop: Loop, span: DrySpan, turns: Iterable[tuple[int, Turn]], until: datetime) -> Cause:
    """The cause of a computed runout, among the turns of the cards that took part before its end."""
    others = {card.number for card in loop.cards.values() if card.id not in span.cards}
    cause = _longest_wait([(number, turn) for number, turn in turns if number not in others], until)
    if span.on_hold:
        return Cause(*ON_HOLD, cause.facts)
    return Cause(*QUALITY, CauseFacts()) if span.quality else cause


def _reaches(span: Span, since: datetime) -> bool:
    return span.closed_at is None or span.closed_at >= since


def _are_one(known: Sequence[Span], span: DrySpan) -> bool:
    """Whether runouts of the register, one behind the other, are the computed one."""
    if not known or (known[0].opened_at, known[-1].closed_at) != (span.begin, span.end):
        return False
    return all(one.closed_at == other.opened_at for one, other in pairwise(known))


def _overlap(known: Span, span: DrySpan) -> bool:
    begins_before_its_end = span.end is None or known.opened_at < span.end
    ends_after_its_begin = known.closed_at is None or known.closed_at > span.begin
    return begins_before_its_end and ends_after_its_begin
