"""What `verify` found: the rules by name, and every place where the tables or the ledger break one."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from jitapp.kanban.state import text

RULES: dict[str, str] = {
    "C1": "each card is in one status, and came by an event of its loop",
    "C2": "at most one open turn per card",
    "C3": "a scan id has one effect and one stored answer",
    "C4": "every movement begins where the one before it ended",
    "C5": "nothing is made, moved or received without a released turn",
    "C6": "received as asked, or a reason stands beside it",
    "C7": "no station has more cards in process than its limit",
    "C8": "an emptied card asks once, a consumption draws once, a cascade reaches each loop once",
    "C9": "runouts are open exactly while no container is usable, from and to the right instants",
    "C10": "every open turn has one party that must act, and since when",
    "C11": "cards, turns, counters and snapshots equal the fold of the ledger, which only grows",
    "C12": "cards out of circulation have no released turn",
    "C13": "each side scans only its own steps, or an override is on record",
    "C14": "contents within the turn, open turns within the cards",
    "I5": "loop_seq is dense, 1 to n",
    "I6": "the feed shows every event, and a loop's in the order of their numbers",
    "I8": "no message waits in the outbox for more than a minute",
}
MOST_PER_RULE = 1_000  # so many are told one by one; the rest is counted


@dataclass(frozen=True, slots=True)
class Difference:
    """What a rule asks for, and what is there instead; loop and card codes are empty where none is concerned."""

    rule: str
    loop: str
    card: str
    what: str
    expected: str
    found: str

    def __str__(self) -> str:
        place = ", ".join(
            part for part in (self.loop and f"loop {self.loop}", self.card and f"card {self.card}") if part
        )
        return f"{self.rule}: {place}{': ' if place else ''}{self.what}: expected {self.expected}, found {self.found}"


@dataclass(slots=True)
class Report:
    """How the ledger and the tables compare. `counts` has every difference, `differences` the first of each rule."""

    events: int = 0
    cards: int = 0
    turns: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    differences: list[Difference] = field(default_factory=list)
    warnings: list[Difference] = field(default_factory=list)

    @property
    def total(self) -> int:
        """Differences in all."""
        return sum(self.counts.values())

    def add(self, difference: Difference) -> None:
        """Counts it, and keeps it if it is one of the first of its rule."""
        self.counts[difference.rule] += 1
        if self.counts[difference.rule] <= MOST_PER_RULE:
            self.differences.append(difference)

    def as_json(self) -> dict[str, Any]:
        """For machines: plain values."""
        return {
            "events": self.events,
            "cards": self.cards,
            "turns": self.turns,
            "rules": [
                {"rule": rule, "says": says, "differences": self.counts[rule]} for rule, says in RULES.items()
            ],
            "count": self.total,
            "differences": [asdict(difference) for difference in self.differences],
            "warnings": [asdict(warning) for warning in self.warnings],
        }


def said(value: object) -> str:
    """A value as a person reads it."""
    if isinstance(value, Decimal):
        return text(value)
    if isinstance(value, datetime):
        return value.isoformat()
    return "nothing" if value is None or value == "" else str(value)
