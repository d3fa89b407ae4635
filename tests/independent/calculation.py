"""When a loop was dry, why, and who had to act: calculated from its ledger alone, without the product's rules.

The words of the vocabulary stand here as literals, so that a change there shows as a difference. Nothing of the
product is imported.

One rule orders everything: what was true at an instant t is what the entries with `occurred_at` <= t say, taken in
the order in which they were recorded (`seq`). So a scan that came late stands where it happened, and what it
contradicts, recorded before it and said to have happened after it, no longer counts: an implied opening of a container
that was empty by then. At the end of time this is the fold of the ledger in its own order.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, Protocol


class EntryLike(Protocol):
    """What is read of an entry of the ledger."""

    @property
    def type(self) -> str: ...
    @property
    def occurred_at(self) -> datetime: ...
    @property
    def seq(self) -> int: ...
    @property
    def card_id(self) -> int | None: ...
    @property
    def turn_number(self) -> int | None: ...
    @property
    def to(self) -> str: ...
    @property
    def data(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Spell:
    """A stretch without a usable container, and why; `closed_at` None: it goes on."""

    opened_at: datetime
    closed_at: datetime | None
    cause: str = ""
    owner: str = ""

    def __str__(self) -> str:
        until = "now" if self.closed_at is None else self.closed_at.isoformat()
        return f"{self.opened_at.isoformat()} to {until}: {self.cause}, {self.owner}"


@dataclass(slots=True)
class Told:
    """What was told of one thing at different times: the value that holds at t was recorded last among those that had
    happened by then."""

    first: str
    steps: list[tuple[datetime, int, str]] = field(default_factory=list)
    _held: list[tuple[datetime, str]] | None = None  # from each instant on, the value that holds

    def tell(self, at: datetime, seq: int, value: str) -> None:
        self.steps.append((at, seq, value))
        self._held = None

    def at(self, t: datetime, *, before: bool = False) -> str:
        """The value at t, or just before t."""
        if self._held is None:
            self._held = []
            newest = -1
            for at, seq, value in sorted(self.steps):
                if seq >= newest:
                    newest = seq
                    self._held.append((at, value))
        cut = (bisect_left if before else bisect_right)(self._held, t, key=lambda step: step[0])
        return self._held[cut - 1][1] if cut else self.first


_CARD_STATUS = {
    "card.activated": "IN_CIRCULATION",
    "card.held": "HELD",
    "card.unheld": "IN_CIRCULATION",
    "card.lost": "LOST",
    "card.found": "IN_CIRCULATION",
    "card.removed": "REMOVED",
    "card.surplus": "SURPLUS",
    "card.restored": "IN_CIRCULATION",
}


@dataclass(slots=True)
class CardStory:
    """What became of a card."""

    id: int
    number: int = 0
    card_status: Told = field(default_factory=lambda: Told("NEW"))
    supply_status: Told = field(default_factory=lambda: Told("EMPTY"))
    blocked: Told = field(default_factory=lambda: Told(""))
    full_at: datetime | None = None  # for the first time

    def participates(self, t: datetime, *, before: bool = False) -> bool:
        return self.card_status.at(t, before=before) in ("IN_CIRCULATION", "HELD")

    def set_aside(self, t: datetime, *, before: bool = False) -> bool:
        """Held, or blocked."""
        held = self.card_status.at(t, before=before) == "HELD"
        return held or self.blocked.at(t, before=before) == "blocked"

    def usable(self, t: datetime) -> bool:
        return (
            self.card_status.at(t) == "IN_CIRCULATION"
            and self.blocked.at(t) != "blocked"
            and self.supply_status.at(t) in ("FULL", "IN_USE")
        )


@dataclass(slots=True)
class Position:
    """Where a turn stands."""

    signal: str = "UNRELEASED"
    step: str = ""
    failed: bool = False
    docked: bool = False
    short: bool = False
    asked_of_erp: bool = False
    due_at: datetime | None = None
    ended: bool = False

    def take(self, entry: EntryLike) -> None:
        """Moves on as the entry says."""
        name, data = entry.type, entry.data
        signals = {
            "turn.released": "RELEASED",
            "turn.acknowledged": "ACKNOWLEDGED",
            "turn.rejected": "REJECTED",
            "turn.short": "UNRELEASED",
        }
        steps = {
            "turn.started": "IN_PROCESS",
            "turn.completed": "COMPLETED",
            "turn.shipped": "IN_TRANSIT",
            "turn.docked": "IN_TRANSIT",
            "turn.aborted": "",
        }
        if name in signals:
            self.signal = signals[name]
        if name in steps:
            self.step = steps[name]
        if name in ("turn.corrected", "turn.reverted"):
            self.step = data["step"]
            self.docked = False
        if name == "turn.opened":
            self.signal = data.get("state", "UNRELEASED")
        if name == "turn.recalled" and data.get("withheld"):
            self.signal = "UNRELEASED"
        if name == "turn.released":
            self.due_at = datetime.fromisoformat(data["due_at"])
        self.docked = self.docked or name == "turn.docked"
        self.failed = name == "turn.failed" or (
            self.failed and name not in ("turn.recovered", "turn.corrected", "turn.released")
        )
        self.short = name == "turn.short" or (self.short and name not in ("turn.released", "turn.corrected"))
        self.asked_of_erp = name == "turn.doc_asked" or (
            self.asked_of_erp and name not in ("turn.documented", "turn.failed", "turn.released")
        )
        self.ended = self.ended or name in ("turn.received", "turn.cancelled")

    def waits_for(self, *, held: bool, supplier: bool) -> tuple[str, str]:
        """(what it waits for or does, who must act)."""
        if self.failed:
            return "error", "buyer"
        owed_by_erp = not self.step and self.signal == "PENDING_DOC" and self.asked_of_erp
        if held and not owed_by_erp:
            return "held", "person"
        if self.docked and self.step == "IN_TRANSIT":
            return "put_away", "receiving"
        if self.short:
            return "supply_short", "station"
        if self.step:
            maker = "supplier" if supplier else "station"
            return {
                "IN_PROCESS": ("process", maker),
                "COMPLETED": ("collect", "handler"),
                "IN_TRANSIT": ("transit", "handler"),
            }[self.step]
        if supplier and self.signal in ("RELEASED", "ACKNOWLEDGED"):
            return ("ack", "supplier") if self.signal == "RELEASED" else ("supplier", "supplier")
        return {
            "UNRELEASED": ("withheld", "station"),
            "ACCUMULATING": ("accumulate", "planner"),
            "PENDING_DOC": ("doc", "erp" if self.asked_of_erp else "buyer"),
            "REJECTED": ("rejected", "buyer"),
            "RELEASED": ("queue", "station"),
            "ACKNOWLEDGED": ("queue", "station"),
        }[self.signal]


@dataclass(slots=True)
class TurnStory:
    """The entries of one turn, in the order in which they were recorded."""

    card: CardStory
    number: int
    entries: list[EntryLike] = field(default_factory=list)

    @property
    def opened_at(self) -> datetime:
        return self.entries[0].occurred_at

    def position(self, t: datetime, *, before: bool = False) -> Position:
        """What was told last of the time up to t, with all that was known of the turn when it was told."""
        told = [
            place
            for place, entry in enumerate(self.entries)
            if entry.occurred_at < t or (entry.occurred_at == t and not before)
        ]
        found = Position()
        for entry in self.entries[: told[-1] + 1] if told else ():
            found.take(entry)
        return found

    def is_open(self, t: datetime, *, before: bool = False) -> bool:
        begun = self.opened_at < t if before else self.opened_at <= t
        return begun and not self.position(t, before=before).ended


@dataclass(slots=True)
class History:
    """A loop's ledger, taken apart. `first_status` is the loop's before any change of it was recorded."""

    kind: str
    supply_kind: str
    status: Told
    cards: dict[int, CardStory]
    turns: list[TurnStory]
    instants: list[datetime]  # at which it may have become dry, or no longer so
    last: datetime | None  # entry's time

    @classmethod
    def of(
        cls, entries: Iterable[EntryLike], *, kind: str, supply_kind: str, first_status: str = "ACTIVE"
    ) -> History:
        """Takes entries in any order; `kind` is the loop's, `supply_kind` that of the station that fills."""
        ordered = sorted(entries, key=lambda entry: entry.seq)
        cards: dict[int, CardStory] = {}
        turns: dict[tuple[int, int], TurnStory] = {}
        status = Told(first_status)
        instants = {entry.occurred_at for entry in ordered}
        last = max(instants, default=None)
        for entry in ordered:
            if (new := _status_of_loop(entry)) is not None:
                status.tell(entry.occurred_at, entry.seq, new)
            if entry.card_id is None:
                continue
            card = cards.setdefault(entry.card_id, CardStory(entry.card_id))
            _tell_card(card, entry)
            if entry.type.startswith("turn.") and entry.turn_number is not None:
                key = (entry.card_id, entry.turn_number)
                turns.setdefault(key, TurnStory(card, entry.turn_number)).entries.append(entry)
                if entry.type == "turn.released" and kind == "EVENT":
                    instants.add(datetime.fromisoformat(entry.data["due_at"]))
        return cls(kind, supply_kind, status, cards, list(turns.values()), sorted(instants), last)

    # -- usable, dry -----------------------------------------------------------------------------------
    def usable(self, t: datetime) -> set[int]:
        """The cards whose containers could be used at t."""
        return {card.id for card in self.cards.values() if card.usable(t)}

    def dry(self, t: datetime) -> bool:
        """Whether the loop was without a usable container at t, after all that happened then."""
        if self.status.at(t) != "ACTIVE":
            return False
        if not any(card.full_at is not None and card.full_at <= t for card in self.cards.values()):
            return False
        if self.usable(t) or not any(card.participates(t) for card in self.cards.values()):
            return False
        return self.kind != "EVENT" or self._order_is_due(t)

    def _order_is_due(self, t: datetime) -> bool:
        for turn in self.turns:
            stands = turn.position(t)
            if (
                turn.is_open(t)
                and turn.card.participates(t)
                and stands.signal in ("RELEASED", "ACKNOWLEDGED", "REJECTED")  # asked for, and not taken back
                and stands.due_at is not None
                and stands.due_at <= t
            ):
                return True
        return False

    # -- why -------------------------------------------------------------------------------------------
    def cause(self, t: datetime, *, closed: bool) -> tuple[str, str]:
        """(cause, owner) of a runout that ended at t (`closed`), or goes on at t."""
        if closed and self.status.at(t) != "ACTIVE":
            return "loop_on_hold", "planner"
        there = [card for card in self.cards.values() if card.participates(t, before=closed)]
        if there and all(card.set_aside(t, before=closed) for card in there):
            return "quality", "person"
        numbers = {card.id for card in there}
        candidates = [
            turn for turn in self.turns if turn.card.id in numbers and turn.is_open(t, before=closed)
        ]
        if not candidates:
            return "no_signal", "planner"
        return self._longest(min(candidates, key=lambda turn: (turn.opened_at, turn.card.number)), t)

    def _longest(self, turn: TurnStory, t: datetime) -> tuple[str, str]:
        """What most of the turn's life until t went into; of two that are equal, the later one."""
        begin = turn.opened_at
        cuts = {begin, *(entry.occurred_at for entry in turn.entries)}
        cuts |= {at for at, _, _ in turn.card.card_status.steps}
        bounds = [*sorted(cut for cut in cuts if begin <= cut < t), t]
        totals: dict[tuple[str, str], timedelta] = defaultdict(timedelta)
        ends: dict[tuple[str, str], datetime] = {}
        for left, right in pairwise(bounds):
            what = self._waits_for(turn, left)
            totals[what] += right - left
            ends[what] = right
        if not totals:
            return self._waits_for(turn, t)
        return max(totals, key=lambda what: (totals[what], ends[what]))

    def _waits_for(self, turn: TurnStory, t: datetime) -> tuple[str, str]:
        held = turn.card.card_status.at(t) == "HELD"
        return turn.position(t).waits_for(held=held, supplier=self.supply_kind == "SUPPLIER")


def _status_of_loop(entry: EntryLike) -> str | None:
    if entry.type != "loop.changed":
        return None
    changed: Mapping[str, Any] = (entry.data.get("changed") or {}).get("status") or {}
    found = entry.data.get("status") or changed.get("after")
    return None if found is None else str(found)


def _tell_card(card: CardStory, entry: EntryLike) -> None:
    at, seq = entry.occurred_at, entry.seq
    if entry.type == "card.added":
        card.number = int(entry.data["number"])
    activates = entry.type == "scan.applied" and entry.data.get("intent") == "activate"
    status = "IN_CIRCULATION" if activates else _CARD_STATUS.get(entry.type)
    if status is not None:
        card.card_status.tell(at, seq, status)
    if entry.type in ("card.blocked", "card.unblocked"):
        card.blocked.tell(at, seq, entry.type.removeprefix("card."))
    if entry.to:
        card.supply_status.tell(at, seq, entry.to)
        if entry.to == "FULL" and (card.full_at is None or at < card.full_at):
            card.full_at = at


def dry_spells(history: History, *, now: datetime | None = None) -> list[Spell]:
    """The runouts, in order of time: the longest stretches in which the loop was dry, each with its cause and owner.

    `now` is when the cause of one that goes on is asked for, and nothing later is looked at. Without it such a one has
    no cause, and the last entry is as far as anything is known.
    """
    found: list[Spell] = []
    began: datetime | None = None
    until = now or history.last
    for t in history.instants:
        if until is None or t > until:
            break
        dry = history.dry(t)
        if dry and began is None:
            began = t
        elif not dry and began is not None:
            found.append(Spell(began, t, *history.cause(t, closed=True)))
            began = None
    if began is not None:
        found.append(Spell(began, None, *(history.cause(now, closed=False) if now else ("", ""))))
    return found


def compare(expected: Sequence[Spell], register: Iterable[Spell]) -> list[str]:
    """What the register of runouts says otherwise; empty if it is right.

    Rows of no length in the register count for nothing, and rows that meet count as one, with the last one's cause.
    The cause of an open runout is compared where one is expected.
    """
    told = _merged(register)
    ours = {spell.opened_at: spell for spell in expected}
    theirs = {spell.opened_at: spell for spell in told}
    differences: list[str] = []
    for at in sorted(ours.keys() | theirs.keys()):
        mine, other = ours.get(at), theirs.get(at)
        if mine is None or other is None:
            differences.append(f"runout: expected {mine or 'none'}, found {other or 'none'}")
            continue
        if mine.closed_at != other.closed_at:
            differences.append(f"end of the runout: expected {mine}, found {other}")
        elif mine.cause and (mine.cause, mine.owner) != (other.cause, other.owner):
            differences.append(f"cause of the runout: expected {mine}, found {other}")
    return differences


def _merged(register: Iterable[Spell]) -> list[Spell]:
    found: list[Spell] = []
    for spell in sorted(register, key=lambda spell: spell.opened_at):
        if spell.closed_at == spell.opened_at:
            continue
        if found and found[-1].closed_at == spell.opened_at:
            spell = Spell(found.pop().opened_at, spell.closed_at, spell.cause, spell.owner)
        found.append(spell)
    return found
