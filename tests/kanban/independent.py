"""A loop's runouts computed a second time, from its ledger alone (rule C9, acceptance 9 of the state machine).

Nothing of the rules is used here: no fold, no condition, no table of reasons; an entry's type, instants, numbers and
payload are read as they stand. What was true of a card at an instant is what the entry that came last tells, of those
that happened until then: something told late corrects what is known from its instant on.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

Stretch = tuple[datetime, datetime | None]
Cause = tuple[str, str]

LIVES = {
    "card.added": "NEW",
    "card.activated": "IN_CIRCULATION",
    "card.held": "HELD",
    "card.unheld": "IN_CIRCULATION",
    "card.lost": "LOST",
    "card.found": "IN_CIRCULATION",
    "card.removed": "REMOVED",
    "card.surplus": "SURPLUS",
    "card.restored": "IN_CIRCULATION",
    "card.obsolete": "OBSOLETE",
}


class History:
    """The entries of one loop, in the order of the ledger. `orders`: it holds nothing between its orders; `outside`:
    a supplier fills it."""

    def __init__(self, entries: Sequence[Any], *, orders: bool = False, outside: bool = False) -> None:
        self.entries = entries
        self.orders = orders
        self.outside = outside
        self.numbers = {e.card_id: e.event.number for e in entries if e.type == "card.added"}
        self.first_full = min((e.occurred_at for e in entries if e.to == "FULL"), default=None)
        # From when on each fact was so, in order of time.
        self.facts: dict[tuple[str, int | None], list[tuple[datetime, Any]]] = {}
        for entry in entries:
            for name, fact in self._told(entry):
                known = self.facts.setdefault((name, entry.card_id), [])
                while known and known[-1][0] >= entry.occurred_at:
                    known.pop()
                known.append((entry.occurred_at, fact))

    @staticmethod
    def _told(entry: Any) -> Iterable[tuple[str, Any]]:
        if entry.to:
            yield "stands", str(entry.to)
        if entry.type in LIVES:
            yield "life", LIVES[entry.type]
        if entry.type == "scan.applied" and entry.event.intent == "activate":
            yield "life", "IN_CIRCULATION"
        if entry.type in ("card.blocked", "card.unblocked"):
            yield "blocked", entry.type == "card.blocked"
        if entry.type == "turn.released":
            yield "due", entry.event.due_at
        withheld = entry.type == "turn.recalled" and entry.event.withheld
        if withheld or entry.type in ("turn.received", "turn.cancelled", "turn.short"):
            yield "due", None
        if entry.type == "loop.changed" and entry.event.status:
            yield "loop", entry.event.status

    def fact(self, name: str, card: int | None, at: datetime, *, before: bool, otherwise: Any) -> Any:
        """What is known of the instant, or (`before`) of the moment before it."""
        for since, fact in reversed(self.facts.get((name, card), ())):
            if since < at or (since == at and not before):
                return fact
        return otherwise

    # -- dry or not ----------------------------------------------------------------------------------
    def taking_part(self, at: datetime, *, before: bool = False) -> list[int]:
        """Cards in circulation, or held."""
        return [
            card
            for card in self.numbers
            if self.fact("life", card, at, before=before, otherwise="") in ("IN_CIRCULATION", "HELD")
        ]

    def usable(self, at: datetime) -> set[int]:
        """Cards whose container can be taken from."""
        return {
            card
            for card in self.taking_part(at)
            if self.fact("life", card, at, before=False, otherwise="") == "IN_CIRCULATION"
            and not self.fact("blocked", card, at, before=False, otherwise=False)
            and self.fact("stands", card, at, before=False, otherwise="EMPTY") in ("FULL", "IN_USE")
        }

    def dry(self, at: datetime) -> bool:
        """Rule C9 at an instant."""
        cards = self.taking_part(at)
        been_full = self.first_full is not None and self.first_full <= at
        active = self.fact("loop", None, at, before=False, otherwise="ACTIVE") == "ACTIVE"
        if not active or not been_full or not cards or self.usable(at):
            return False
        due = [self.fact("due", card, at, before=False, otherwise=None) for card in cards]
        return not self.orders or any(instant is not None and instant <= at for instant in due)

    def runouts(self, until: datetime) -> list[Stretch]:
        """Every stretch in which the loop was dry; the last may go on."""
        instants = {since for told in self.facts.values() for since, _ in told}
        if self.orders:
            due = [fact for (name, _), told in self.facts.items() if name == "due" for _, fact in told]
            instants |= {instant for instant in due if instant is not None}
        found: list[Stretch] = []
        begun: datetime | None = None
        for instant in sorted(each for each in instants if each <= until):
            dry = self.dry(instant)
            if dry and begun is None:
                begun = instant
            elif not dry and begun is not None:
                found.append((begun, instant))
                begun = None
        return [*found, (begun, None)] if begun is not None else found

    # -- why -----------------------------------------------------------------------------------------
    def cause(self, end: datetime) -> Cause:
        """(reason, who must act) of the runout that ends at `end`, by what the ledger holds."""
        if self.fact("loop", None, end, before=False, otherwise="ACTIVE") != "ACTIVE":
            return "loop_on_hold", "planner"
        cards = self.taking_part(end, before=True)
        withdrawn = [
            self.fact("life", card, end, before=True, otherwise="") == "HELD"
            or self.fact("blocked", card, end, before=True, otherwise=False)
            for card in cards
        ]
        if cards and all(withdrawn):
            return "quality", "person"
        turns = [
            (begun, self.numbers[card], card, turn)
            for card in cards
            for turn, begun, ended in self._turns(card)
            if begun <= end and (ended is None or ended >= end)
        ]
        if not turns:
            return "no_signal", "planner"
        _, _, card, turn = min(turns)
        return self._longest(self._life(card, turn), end)

    def _turns(self, card: int) -> Iterable[tuple[int, datetime, datetime | None]]:
        for entry in self.entries:
            if entry.card_id == card and getattr(entry.event, "opens", False):
                ended = [
                    other.occurred_at
                    for other in self.entries
                    if other.card_id == card
                    and other.turn_number == entry.turn_number
                    and other.type in ("turn.received", "turn.cancelled")
                ]
                yield entry.turn_number, entry.occurred_at, ended[0] if ended else None

    def _life(self, card: int, turn: int) -> list[tuple[datetime, Cause]]:
        """(since, (reason, owner)) of the turn, in order; ("", "") once it is closed."""
        now = _Standing(self.outside)
        life: list[tuple[datetime, Cause]] = []
        for entry in self.entries:
            if entry.card_id != card:
                continue
            of_this_turn = entry.turn_number == turn and entry.type.startswith("turn.")
            now.take(entry, of_this_turn)
            if not now.open and not of_this_turn:
                continue
            said = now.says() if now.open else ("", "")
            if life and life[-1][1] == said:
                continue
            since = max(entry.occurred_at, life[0][0]) if life else entry.occurred_at
            while life and life[-1][0] >= since:
                life.pop()  # told earlier of a later time: overruled
            if not life or life[-1][1] != said:
                life.append((since, said))
            if not now.open:
                break
        return life

    @staticmethod
    def _longest(life: list[tuple[datetime, Cause]], end: datetime) -> Cause:
        """What lasted longest in all; of equals what came last."""
        totals: dict[Cause, timedelta] = {}
        last: dict[Cause, datetime] = {}
        for place, (since, said) in enumerate(life):
            if said == ("", "") or since > end:
                break
            until = min(life[place + 1][0], end) if place + 1 < len(life) else end
            totals[said] = totals.get(said, timedelta(0)) + (until - since)
            last[said] = since
        if not totals:
            return life[0][1]
        return max(totals, key=lambda said: (totals[said], last[said]))


class _Standing:
    """A turn along its entries, and what its state means: a table of its own."""

    def __init__(self, outside: bool) -> None:
        self.outside = outside
        self.open = self.held = self.failed = self.owed = self.docked = self.short = False
        self.signal = self.step = ""

    def take(self, entry: Any, of_this_turn: bool) -> None:
        type_, event = entry.type, entry.event
        if type_ in LIVES:
            self.held = LIVES[type_] == "HELD"
        if not of_this_turn:
            return
        if getattr(event, "opens", False):
            self.open = True
        if type_ == "turn.opened":
            self.signal = str(event.state)
        elif type_ == "turn.released":
            self.signal, self.failed, self.owed, self.short = "RELEASED", False, False, False
        elif type_ == "turn.acknowledged":
            self.signal = "ACKNOWLEDGED"
        elif type_ == "turn.rejected":
            self.signal, self.short = "REJECTED", False
        elif type_ == "turn.recalled":
            if event.withheld:
                self.signal, self.owed = "UNRELEASED", False
        elif type_ == "turn.short":
            self.signal, self.owed, self.short = "UNRELEASED", False, True
        elif type_ in ("turn.doc_asked", "turn.documented"):
            self.owed = type_ == "turn.doc_asked"
        elif type_ in ("turn.failed", "turn.recovered"):
            self.failed = type_ == "turn.failed"
            self.owed = self.owed and not self.failed
        elif type_ == "turn.docked":
            self.docked = True
        elif type_ == "turn.corrected":
            self.step, self.failed, self.docked, self.short = event.step, False, False, False
        elif type_ in ("turn.started", "turn.completed", "turn.shipped", "turn.aborted"):
            self.step = {"started": "IN_PROCESS", "completed": "COMPLETED", "shipped": "IN_TRANSIT"}.get(
                type_[5:], ""
            )
        elif type_ == "turn.reverted":
            self.step = event.step
        elif type_ in ("turn.received", "turn.cancelled"):
            self.open = False

    def says(self) -> Cause:
        if self.failed:
            return "error", "buyer"
        owed = self.owed and self.signal == "PENDING_DOC"
        if owed:
            return "doc", "erp"
        if self.held:
            return "held", "person"
        if self.docked:
            return "put_away", "receiving"
        if self.short:
            return "supply_short", "station"
        by_step = {
            "IN_PROCESS": ("process", "supplier" if self.outside else "station"),
            "COMPLETED": ("collect", "handler"),
            "IN_TRANSIT": ("transit", "handler"),
        }
        by_signal = {
            "UNRELEASED": ("withheld", "station"),
            "ACCUMULATING": ("accumulate", "planner"),
            "PENDING_DOC": ("doc", "buyer"),
            "REJECTED": ("rejected", "buyer"),
            "RELEASED": ("ack", "supplier") if self.outside else ("queue", "station"),
            "ACKNOWLEDGED": ("supplier", "supplier") if self.outside else ("queue", "station"),
        }
        return by_step[self.step] if self.step else by_signal[self.signal]


def merged(spans: Iterable[tuple[datetime, datetime | None]]) -> list[Stretch]:
    """The runouts of a register as stretches of time: those of no length left out, neighbours as one."""
    found: list[Stretch] = []
    for begin, end in sorted(spans, key=lambda span: (span[0], span[1] is None, span[1] or span[0])):
        if begin == end:
            continue
        if found and found[-1][1] == begin:
            found[-1] = (found[-1][0], end)
        else:
            found.append((begin, end))
    return found
