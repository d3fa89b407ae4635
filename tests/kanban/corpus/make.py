"""Writes sequences.jsonl: 500 sequences of scans from simulated shops, each scan labelled with what it really was.

A shop is simulated as things move: containers are used up one after the other, go to the maker, are filled and come
back; people scan what they do. Into each sequence one story is put: a scanner reads twice, somebody scans again
because nothing seemed to happen, takes the card of another container, works with an old label ... The label says what
the person did. It is known from the story alone: neither the rules nor the classifier are asked.

Times are minutes since the shop's start; `sent` is when the scan reached the server. Run again, it writes the same:
`python -m tests.kanban.corpus.make`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

FILE = Path(__file__).with_name("sequences.jsonl")
SEED = 20_261_116
Step = dict[str, Any]

# How many sequences tell each story; what a person meant is the label of the scan it is about.
STORIES = {
    "all goes well": 60,
    "the scanner reads twice": 60,
    "scanned again, nothing seemed to happen": 55,
    "a colleague scans the card on the rack again": 25,
    "emptied one, scanned the card of the empty one beside it": 35,
    "emptied the open one, scanned the card of a full one": 25,
    "brought one, scanned the card of a full one": 15,
    "finished one, scanned the card of one that waits": 15,
    "began one, scanned the card of a finished one": 10,
    "the label is old": 30,
    "filled by the quantity of the old label": 20,
    "a withdrawn card turns up": 45,
    "scanned at the wrong station": 30,
    "scanned at the wrong end": 15,
    "the tablet was offline": 35,
    "a rule says no": 25,
}
assert sum(STORIES.values()) == 500


@dataclass
class Move:
    """Something that really happened to a container, and the scan that tells it, if somebody scans it."""

    at: float
    what: str
    card: int
    where: str
    device: int
    told: bool = True


@dataclass
class Shop:
    """A loop, its pace and its habits."""

    dice: Random
    kind: str = ""
    cards: int = 0
    quantity: int = 0
    lead: float = 0  # minutes, as in the settings; the real way takes less
    lasts: float = 0  # minutes of use per container
    scans: frozenset[str] = frozenset()
    auto: bool = False  # people leave it to the station what a scan means
    moves: list[Move] = field(default_factory=list)

    def __post_init__(self) -> None:
        dice = self.dice
        self.kind = dice.choice(["TWO_BIN", "TWO_BIN", "PRODUCTION", "WITHDRAWAL", "SUPPLIER"])
        self.lead = float(dice.choice([60, 120, 180, 240, 480, 960]))
        safety = dice.uniform(0.05, 0.5)
        if self.kind == "TWO_BIN":
            self.cards = 2
            self.lasts = self.lead * (1 + safety)
        else:
            self.cards = dice.randint(3, 6)
            # The sizing formula: so many containers that the others last while one is away.
            self.lasts = self.lead * (1 + safety) / (self.cards - 1)
        self.quantity = dice.choice([4, 6, 12, 20, 50])
        whole = frozenset({"empty", "start", "complete", "load", "receive"})
        self.scans = dice.choice([whole, whole, whole - {"load"}, frozenset({"empty", "receive"})])
        self.auto = "start" in self.scans and dice.random() < 0.4
        self.moves = sorted(self._life(), key=lambda move: move.at)

    def _life(self) -> Iterator[Move]:
        """Containers are used up one after the other and filled again.

        People take the one that came first, and once in 200 times another; they forget one in a hundred scans of the
        steps between. A container lasts longer or shorter by an eighth, the way takes half of the lead time to all.
        """
        dice = self.dice
        full_at = [0.0] * self.cards
        now = 60 + dice.uniform(0, self.lasts)
        for _turn in range(40):
            there = [number for number in self.all if full_at[number - 1] <= now]
            first = min(self.all, key=lambda number: (full_at[number - 1], number))
            card = dice.choice(there) if there and dice.random() < 0.005 else first
            begin = max(now, full_at[card - 1])
            now = begin + self.lasts * dice.lognormvariate(0, 0.125)
            yield Move(now, "empty", card, "demand", 7)
            way = self.lead * dice.uniform(0.5, 1)
            parts = [dice.uniform(0.15, 0.3), dice.uniform(0.5, 0.6), dice.uniform(0.7, 0.8), 1.0]
            for what, part in zip(("start", "complete", "load", "receive"), parts, strict=True):
                where, device = ("demand", 9) if what == "receive" else ("supply", 8)
                told = what in self.scans and (what == "receive" or dice.random() > 0.01)
                yield Move(now + way * part, what, card, where, device, told)
            full_at[card - 1] = now + way

    def scan(self, move: Move, label: str = "expected", **more: Any) -> Step:
        """The scan that tells a move."""
        step = {"at": move.at, "card": move.card, "where": move.where, "device": move.device, "label": label}
        if not self.auto:
            step["intent"] = move.what
        return step | more

    def until(self, index: int) -> list[Step]:
        """The scans of all moves before the one at `index`."""
        return [self.scan(move) for move in self.moves[:index] if move.told]

    def last(self, card: int, index: int) -> str:
        """What really happened to a container last before the move at `index`; full at the start."""
        return next((move.what for move in reversed(self.moves[:index]) if move.card == card), "receive")

    def at_the_line(self, index: int) -> list[int]:
        """The containers that stand full, or open, where they are used."""
        return [card for card in self.all if self.last(card, index) == "receive"]

    @property
    def all(self) -> range:
        """The numbers of the cards."""
        return range(1, self.cards + 1)

    def some(self, *whats: str, fits: Callable[[int], bool] = lambda _index: True) -> int | None:
        """A move of one of the kinds, not too early, where the story fits."""
        found = [
            index
            for index, move in enumerate(self.moves[4:32], start=4)
            if move.what in whats and move.told and fits(index)
        ]
        return self.dice.choice(found) if found else None

    def next_of(self, index: int) -> float:
        """When the container of a move is moved again."""
        card = self.moves[index].card
        return next(move.at for move in self.moves[index + 1 :] if move.card == card)

    @property
    def settings(self) -> dict[str, Any]:
        """The loop's settings."""
        return {
            "kind": self.kind,
            "cards": self.cards,
            "quantity": self.quantity,
            "lead_time_minutes": math.ceil(self.lead),
        }


# -- the stories: each gives the steps, or None where this shop has no place for it -----------------------
def goes_well(shop: Shop) -> list[Step] | None:
    return shop.until(shop.dice.randint(8, 30))


def read_twice(shop: Shop) -> list[Step] | None:
    index = shop.some("empty", "start", "complete", "load", "receive")
    if index is None:
        return None
    move = shop.moves[index]
    again = shop.scan(move, "bounce")
    again["at"] = move.at + shop.dice.uniform(0.08, 1.3) / 60
    return [*shop.until(index + 1), again]


def scanned_again(shop: Shop) -> list[Step] | None:
    index = shop.some("empty", "empty", "receive", "start", "complete")
    if index is None:
        return None
    move = shop.moves[index]
    # Mostly within two minutes, now and then after ten; while the card is still at hand.
    after = shop.dice.lognormvariate(math.log(1.5), 0.8)
    if shop.auto and move.what != "empty":
        # A station that goes by the state would take a later one for the next step: its screen says so at once.
        after = shop.dice.uniform(0.05, 0.9)
    if move.at + after >= shop.next_of(index):
        return None
    again = shop.scan(move, "repeated_signal", at=move.at + max(after, 0.05))
    return _between(shop, index, again)


def colleague(shop: Shop) -> list[Step] | None:
    index = shop.some("empty")
    if index is None:
        return None
    move = shop.moves[index]
    # The rack is gone through before each tour, and tours come more often than containers are used up.
    after = min(shop.dice.uniform(1, 30), shop.lasts * 0.6)
    if move.at + after >= shop.next_of(index):
        return None
    again = shop.scan(move, "repeated_signal", at=move.at + after, device=6)
    return _between(shop, index, again)


def empty_beside(shop: Shop) -> list[Step] | None:
    """The open container is used up; the card on the rack, of the one before it, is read instead."""

    def rack(index: int) -> list[int]:
        return [card for card in shop.all if shop.last(card, index) == "empty"]

    index = shop.some("empty", fits=lambda index: bool(rack(index)))
    if index is None:
        return None
    move = shop.moves[index]
    other = shop.dice.choice(rack(index))
    return [*shop.until(index), *_mistaken(shop, move, other)]


def full_beside(shop: Shop) -> list[Step] | None:
    """The open container is used up; the card of a full one is read instead."""

    def others(index: int) -> list[int]:
        return [card for card in shop.at_the_line(index) if card != shop.moves[index].card]

    index = shop.some("empty", fits=lambda index: bool(others(index)))
    if index is None:
        return None
    return [*shop.until(index), *_mistaken(shop, shop.moves[index], shop.dice.choice(others(index)))]


def full_when_brought(shop: Shop) -> list[Step] | None:
    """A container is brought; the card of one that stands there full is read instead."""
    if shop.auto or "load" not in shop.scans:
        return None
    lately = 20.0

    def others(index: int) -> list[int]:
        at = shop.moves[index].at
        brought = {
            move.card for move in shop.moves[:index] if move.what == "receive" and at - move.at < lately
        }
        return [
            card for card in shop.at_the_line(index) if card not in brought and card != shop.moves[index].card
        ]

    index = shop.some("receive", fits=lambda index: bool(others(index)))
    if index is None:
        return None
    return [*shop.until(index), *_mistaken(shop, shop.moves[index], shop.dice.choice(others(index)))]


def finished_other(shop: Shop) -> list[Step] | None:
    """A container is filled; the card of one that waits at the maker's is read instead."""
    if shop.auto:
        return None

    def others(index: int) -> list[int]:
        return [card for card in shop.all if shop.last(card, index) == "empty"]

    index = shop.some("complete", fits=lambda index: bool(others(index)))
    if index is None:
        return None
    return [
        *shop.until(index),
        *_mistaken(shop, shop.moves[index], shop.dice.choice(others(index)), again=False),
    ]


def began_other(shop: Shop) -> list[Step] | None:
    """An empty container is begun; the card of a filled one is read instead."""
    if shop.auto:
        return None

    def others(index: int) -> list[int]:
        return [card for card in shop.all if shop.last(card, index) == "complete"]

    index = shop.some("start", fits=lambda index: bool(others(index)))
    if index is None:
        return None
    return [*shop.until(index), *_mistaken(shop, shop.moves[index], shop.dice.choice(others(index)))]


def _mistaken(shop: Shop, move: Move, other: int, *, again: bool = True) -> list[Step]:
    """The wrong card, and often the right one after it."""
    steps = [shop.scan(move, "wrong_card", card=other)]
    if again and shop.dice.random() < 0.5:
        steps.append(shop.scan(move, at=move.at + shop.dice.uniform(1.1, 3)))
    return steps


def _between(shop: Shop, index: int, again: Step) -> list[Step]:
    """The scan at its time: what others did before it comes before it."""
    steps = shop.until(index + 1)
    steps += [shop.scan(m) for m in shop.moves[index + 1 :] if m.at < again["at"] and m.told]
    return [*steps, again]


def old_label(shop: Shop) -> list[Step] | None:
    """The loop was revised; the card goes on with the old print until somebody changes it."""
    index = shop.some("empty", "start", "complete", "receive")
    if index is None:
        return None
    move = shop.moves[index]
    change = {"at": move.at - 0.5, "do": "relabel", "card": move.card}
    return [*shop.until(index), change, shop.scan(move, "stale_label")]


def old_quantity(shop: Shop) -> list[Step] | None:
    """The card asks for the new quantity; the maker fills what the old print says."""
    index = shop.some("complete")
    if index is None:
        return None
    move = shop.moves[index]
    change = {"at": move.at - 0.5, "do": "relabel", "card": move.card}
    old = shop.dice.choice([shop.quantity * 2, shop.quantity + 2, shop.quantity // 2])
    return [*shop.until(index), change, shop.scan(move, "stale_label", quantity=old)]


def withdrawn(shop: Shop) -> list[Step] | None:
    """A card was taken out of circulation while its container stood full; later somebody finds and scans it."""

    def waiting(index: int) -> list[int]:
        return [card for card in shop.at_the_line(index) if card != shop.moves[index].card]

    index = shop.some("empty", fits=lambda index: bool(waiting(index)))
    if index is None:
        return None
    move = shop.moves[index]
    card = shop.dice.choice(waiting(index))
    how = shop.dice.choice(["lost", "removed", "surplus"])
    gone = {"at": move.at - 0.5, "do": how, "card": card}
    where = shop.dice.choice(["demand", "supply"])
    intent = {"demand": "empty", "supply": "start"}[where]
    found = Move(move.at + shop.dice.uniform(5, 600), intent, card, where, 7 if where == "demand" else 8)
    return [*shop.until(index), gone, shop.scan(found, "retired_card")]


def wrong_station(shop: Shop) -> list[Step] | None:
    index = shop.some("empty", "start", "complete", "receive")
    if index is None:
        return None
    move = shop.moves[index]
    steps = [*shop.until(index), shop.scan(move, "wrong_station", where="elsewhere", device=5)]
    if shop.dice.random() < 0.5:
        steps.append(shop.scan(move, at=move.at + shop.dice.uniform(1.1, 5)))
    return steps


def wrong_end(shop: Shop) -> list[Step] | None:
    """A step of the one end, scanned at the other."""
    if shop.auto:
        return None
    index = shop.some("empty", "start", "complete", "receive")
    if index is None:
        return None
    move = shop.moves[index]
    other = {"demand": "supply", "supply": "demand"}[move.where]
    return [*shop.until(index), shop.scan(move, "wrong_station", where=other, device=5)]


def offline(shop: Shop) -> list[Step] | None:
    """A step is scanned on a tablet without a connection, and comes in after the step that followed it."""
    if shop.auto:
        return None

    def follows(index: int) -> int:
        return next(
            later
            for later in range(index + 1, len(shop.moves))
            if shop.moves[later].card == shop.moves[index].card and shop.moves[later].told
        )

    index = shop.some("start", "complete", "load")
    if index is None:
        return None
    after = follows(index)
    steps = [
        shop.scan(m) for at, m in enumerate(shop.moves[: after + 1]) if m.what in shop.scans and at != index
    ]
    sent = shop.moves[after].at + shop.dice.uniform(0.1, 3)
    return [*steps, shop.scan(shop.moves[index], "late", device=4, sent=sent)]


def refused(shop: Shop) -> list[Step] | None:
    """A right scan of the right card, and a rule that says no."""
    kind = shop.dice.choice(["limit", "hold", "short"])
    index = shop.some({"limit": "start", "hold": "start", "short": "complete"}[kind])
    if index is None:
        return None
    move = shop.moves[index]
    if kind == "limit":
        return [*shop.until(index), shop.scan(move, "other", full_station=True)]
    if kind == "hold":
        hold = {"at": move.at - 0.5, "do": "held", "card": move.card}
        return [*shop.until(index), hold, shop.scan(move, "other")]
    return [*shop.until(index), shop.scan(move, "other", quantity=shop.quantity - 1)]


TELL: dict[str, Callable[[Shop], list[Step] | None]] = dict(
    zip(
        STORIES,
        (
            goes_well,
            read_twice,
            scanned_again,
            colleague,
            empty_beside,
            full_beside,
            full_when_brought,
            finished_other,
            began_other,
            old_label,
            old_quantity,
            withdrawn,
            wrong_station,
            wrong_end,
            offline,
            refused,
        ),
        strict=True,
    )
)


def sequences(seed: int = SEED) -> Iterator[dict[str, Any]]:
    """All of them, in the order of the stories."""
    dice = Random(seed)
    for story, wanted in STORIES.items():
        told = 0
        while told < wanted:
            shop = Shop(dice)
            steps = TELL[story](shop)
            if steps is None:
                continue
            told += 1
            for step in steps:
                step["at"] = round(step["at"], 4)
                if "sent" in step:
                    step["sent"] = round(step["sent"], 4)
            asked = _asked(steps)
            yield {"story": story, "loop": shop.settings, "asked": asked, "steps": steps}


def _asked(steps: list[Step]) -> int:
    """The place of the scan that the story is about: the last that is not as expected, else the last."""
    told = [place for place, step in enumerate(steps) if step.get("label", "expected") != "expected"]
    return told[-1] if told else len(steps) - 1


if __name__ == "__main__":
    FILE.write_text("".join(json.dumps(sequence, separators=(",", ":")) + "\n" for sequence in sequences()))
