"""Two-card loops over three tiers: at every step each container has its one card, and no piece comes or goes (4.3).

Beside the floor runs a count of its own: containers with what is in them, moved by hand as the cell, the water spider
and the line would move them. After every scan and every drain the tables must show the same containers.
"""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass, field
from decimal import Decimal

import pytest
from django.db.models import Sum

from jitapp.pull.models import Card, Draw, Event, Turn
from tests.floor import Floor

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("true_ledger")]

TIERS = (1, 2, 3)
W_CARDS, P_CARDS = 2, 3
PIECES = {1: Decimal(4), 2: Decimal(6), 3: Decimal(5)}  # in a container of each tier
PER_PIECE = {1: Decimal(1), 2: Decimal(2)}  # of the next tier's part
AT_THE_LINE = ("FULL", "IN_USE")


@dataclass
class Hall:
    """The containers of one tier, by the card that hangs on each: who walks about would count them so."""

    making: dict[int, Decimal] = field(default_factory=dict)  # at the cell and on its way to the market, by P
    market: dict[int, Decimal] = field(default_factory=dict)  # full in the market, by P
    coming: dict[int, Decimal] = field(default_factory=dict)  # on the tour, by W
    line: dict[int, Decimal] = field(
        default_factory=dict
    )  # at the consumer, by W, the first to be used first
    free: int = 0  # empty, without a card

    @property
    def containers(self) -> int:
        return len(self.making) + len(self.market) + len(self.coming) + len(self.line) + self.free

    def draw(self, need: Decimal) -> Decimal:
        """Takes pieces at the consumer; empty containers go back without a card. Answers what was there."""
        taken = Decimal(0)
        for card in list(self.line):
            take = min(self.line[card], need - taken)
            taken += take
            self.line[card] -= take
            if not self.line[card]:
                del self.line[card]
                self.free += 1
            if taken == need:
                break
        return taken


class Line:
    """Three tiers on the real scan path, and the halls beside them."""

    def __init__(self, consumption: str, seed: int) -> None:
        self.dice = random.Random(seed)
        self.counted = consumption == "BACKFLUSH"
        self.floor = floor = Floor()
        floor.station("LINE", "SHIPPING")
        for tier in TIERS:
            floor.station(f"CELL{tier}", consumption=consumption)
            floor.station(f"MARKET{tier}", "SUPERMARKET")
        for tier in (1, 2):
            floor.bill(f"PART{tier}", **{f"PART{tier + 1}": str(PER_PIECE[tier])})
        for tier in TIERS:
            part, market = f"PART{tier}", f"MARKET{tier}"
            consumer = "LINE" if tier == 1 else f"CELL{tier - 1}"
            many = {"part": part, "quantity": str(PIECES[tier])}
            floor.loop(
                f"P{tier}", supply=f"CELL{tier}", demand=market, kind="PRODUCTION", cards=P_CARDS, **many
            )
            floor.loop(f"W{tier}", supply=market, demand=consumer, kind="WITHDRAWAL", cards=W_CARDS, **many)
        self.halls = {
            tier: Hall(
                market=dict.fromkeys(range(1, P_CARDS + 1), PIECES[tier]),
                line=dict.fromkeys(range(1, W_CARDS + 1), PIECES[tier]),
            )
            for tier in TIERS
        }
        self.used = dict.fromkeys(TIERS, Decimal(0))
        self.done: dict[str, int] = {}

    def status(self, loop: str) -> dict[int, str]:
        return dict(enumerate(self.floor.status(loop), start=1))

    def moves(self) -> list[tuple[str, str, int, int]]:
        """What the cards allow now: (move, intent, tier, card), the production card of a swap left to the spider."""
        found: list[tuple[str, str, int, int]] = []
        for tier in TIERS:
            for number, status in self.status(f"W{tier}").items():
                if status in AT_THE_LINE and (tier == 1 or not self.counted):
                    found += [("use up", "empty", tier, number)] * 2
                elif status == "EMPTY":
                    found += [("fetch", "load", tier, number)] * 3
                elif status == "IN_TRANSIT":
                    found += [("bring", "receive", tier, number)] * 3
            for number, status in self.status(f"P{tier}").items():
                step = {
                    "EMPTY": ("begin", "start"),
                    "IN_PROCESS": ("finish", "complete"),
                    "COMPLETED": ("send", "load"),
                    "IN_TRANSIT": ("shelve", "receive"),
                }.get(status)
                if step:
                    found.append((*step, tier, number))
        return found

    def step(self) -> None:
        move, intent, tier, number = self.dice.choice(self.moves())
        hall, floor = self.halls[tier], self.floor
        loop = f"W{tier}" if move in ("use up", "fetch", "bring") else f"P{tier}"
        if self.dice.random() < 0.1:
            self.nonsense(tier)
        if move == "fetch" and hall.market:
            oldest = next(iter(hall.market))
            answer = floor.scan(loop, number, intent, pair=floor.card(f"P{tier}", oldest).code)
        else:
            answer = floor.scan(loop, number, intent)
        assert answer["outcome"] == "applied", (move, answer)
        if move == "use up":
            self.used[tier] += hall.line.pop(number)
            hall.free += 1
        elif move == "fetch" and answer["code"] == "swapped":
            hall.coming[number] = hall.market.pop(oldest)
        elif move == "fetch":
            assert (answer["code"], hall.market) == ("supply_short", {})
            move = "fetch in vain"
        elif move == "bring":
            hall.line[number] = hall.coming.pop(number)
        elif move == "begin":
            hall.free -= 1
            hall.making[number] = Decimal(0)
            if self.counted and tier < 3:
                self.used[tier + 1] += self.halls[tier + 1].draw(PIECES[tier] * PER_PIECE[tier])
        elif move == "finish":
            hall.making[number] = PIECES[tier]
        elif move == "shelve":
            hall.market[number] = hall.making.pop(number)
        self.done[move] = self.done.get(move, 0) + 1

    def nonsense(self, tier: int) -> None:
        """A scan that must change nothing: making without a signal, taking in what was not sent, half a swap."""
        before = Event.objects.count()
        hall = self.halls[tier]
        if hall.market:
            full = next(iter(hall.market))
            for intent in ("start", "receive"):
                answer = self.floor.scan(f"P{tier}", full, intent)
                assert answer["outcome"] in ("refused", "already"), answer
        if hall.coming:
            answer = self.floor.scan(f"W{tier}", next(iter(hall.coming)), "load")
            assert answer["outcome"] in ("refused", "already"), answer
        assert Event.objects.count() == before

    def check(self) -> None:
        """The tables show the same containers, each with its one card, and the same pieces."""
        for tier in TIERS:
            hall = self.halls[tier]
            assert hall.containers == W_CARDS + P_CARDS
            cards = {loop: list(Card.objects.filter(loop__code=f"{loop}{tier}")) for loop in "WP"}
            assert (len(cards["W"]), len(cards["P"])) == (W_CARDS, P_CARDS)
            assert {card.card_status for loop in "WP" for card in cards[loop]} == {"IN_CIRCULATION"}
            at = {(loop, card.number): card for loop in "WP" for card in cards[loop]}
            full = {
                number for (loop, number), card in at.items() if loop == "P" and card.supply_status == "FULL"
            }
            making = {n for (loop, n), c in at.items() if loop == "P" and c.supply_status in UNDER_WAY}
            line = {n for (loop, n), c in at.items() if loop == "W" and c.supply_status in AT_THE_LINE}
            coming = {n for (loop, n), c in at.items() if loop == "W" and c.supply_status == "IN_TRANSIT"}
            assert full == set(hall.market)  # every full container in the market has exactly one P
            assert making == set(hall.making)
            assert line == set(hall.line)  # every container at the consumer has exactly one W
            assert coming == set(hall.coming)
            assert {n: at["W", n].contents for n in line} == hall.line
            assert {n: at["P", n].contents for n in full} == hall.market
            assert all(not card.contents for card in at.values() if card.supply_status not in AT_THE_LINE)
            self._pieces(tier)

    def _pieces(self, tier: int) -> None:
        """Made - used = what is in the containers, all of it from the tables."""
        hall = self.halls[tier]
        begun = Turn.objects.filter(loop__code=f"P{tier}", completed_at__isnull=False)
        made = begun.aggregate(n=Sum("made"))["n"] or Decimal(0)
        drawn = Draw.objects.filter(loop__code=f"W{tier}").aggregate(n=Sum("drawn"))["n"] or Decimal(0)
        emptied = Event.objects.filter(loop__code=f"W{tier}", data__intent="empty").values_list(
            "data__left", flat=True
        )
        assert drawn + sum((Decimal(left) for left in emptied), Decimal(0)) == self.used[tier]
        there = sum(
            sum(place.values(), Decimal(0)) for place in (hall.making, hall.market, hall.coming, hall.line)
        )
        assert (W_CARDS + P_CARDS) * PIECES[tier] + made - self.used[tier] == there


UNDER_WAY = ("IN_PROCESS", "COMPLETED", "IN_TRANSIT")


@pytest.mark.parametrize("consumption", ["SCAN", "BACKFLUSH"])
def test_containers_cards_and_pieces_are_conserved_over_three_tiers(consumption: str) -> None:
    line = Line(consumption, seed=20_261_121)
    line.check()
    steps: deque[str] = deque(maxlen=5)
    for number in range(300):
        line.step()
        line.floor.propagate()
        steps.append(max(line.done, key=lambda move: line.done[move]))
        line.check()
        assert line.moves(), f"nothing can move after {number} steps: {list(steps)}"
    expected = {"use up", "fetch", "fetch in vain", "bring", "begin", "finish", "send", "shelve"}
    assert set(line.done) == expected, line.done
    assert all(Turn.objects.filter(loop__code=f"P{tier}", signal_state="CLOSED").exists() for tier in TIERS)
