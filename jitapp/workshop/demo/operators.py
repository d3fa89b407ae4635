"""Simulated operators, handlers, suppliers and a customer, who scan the demonstration shop through the API.

They see what people see (a station's board, the event feed) and do what people do; nothing is told them that a
tablet could not know. Time on the floor is working minutes, `speed` of them pass in a second. A station where
somebody else scans, or that is taken over by a switch, is left alone.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from threading import Event
from typing import Any

from jitapp.live.demo import CannotSwitch, Switches, switches
from jitapp.workshop.demo.client import Tablet

logger = logging.getLogger(__name__)

Facts = dict[str, Any]
USABLE = ("FULL", "IN_USE")

# Working minutes. Eight boards a day pass each station, so that each is busy for about half of the day (A7).
BENCH_MINUTES = {"PASTE": 12, "REFLOW": 16, "TEST": 24}  # for one board
HANDLING_MINUTES = 10
PULL_MINUTES = 465 / 6  # six pulls a day: two of each board
CUSTOMER_RETURNS_MINUTES = 15
DELIVERY_MINUTES = {"SUPPLIER": 420, "SUPERMARKET": 40}
UNLOADING_MINUTES = 25
SUPPLIES_MINUTES = 150
# Boards by name, in the levelled order of one bin each.
CUSTOMER_ORDER = ("MCB-SHIP", "DCB-SHIP", "OPB-SHIP")
# Whose supplier is late in turn, how long after the last time, and for how long the line stays without.
LATE_LOOPS = ("DCB-BARE", "HOUSING-S", "MCB-BARE", "CONN-24", "OPB-BARE")
LATE_EVERY_MINUTES = 700
DRY_MINUTES = 130
REFUSED_AGAIN_MINUTES = 30
# Between two looks no more time passes than this: on a slow machine the clock of the floor waits for its people.
LONGEST_STEP_MINUTES = 10

# Seconds of the real clock.
LOOK_SECONDS = 0.4
QUICK_LOOK_SECONDS = 0.1
SWITCHES_SECONDS = 1.0
HUMAN_STAYS_SECONDS = 300.0
# Who carries the tablet of a station; shipping is the customer's.
BADGES = {
    "PASTE": "BW-12",
    "REFLOW": "BW-13",
    "TEST": "BW-14",
    "SHIP": "BW-15",
    "CABINET": "BW-16",
    "STORES": "BW-11",
}
HANDLERS = {"REFLOW": "BW-09", "PASTE": "BW-09", "TEST": "BW-10", "SHIP": "BW-10", "CABINET": "BW-11"}


@dataclass(frozen=True, slots=True)
class Deed:
    """A scan that somebody would now make at a station."""

    station: str
    card: str
    intent: str
    by: str
    about: str  # what it is about, for the next time it comes up


@dataclass
class Shop:
    """What the operators know of the shop: the stations' boards, the loops between them and the bills."""

    tablets: Mapping[str, Tablet]
    own_devices: frozenset[str]
    boards: dict[str, Facts] = field(default_factory=dict)
    loops: dict[str, Facts] = field(default_factory=dict)
    bills: dict[str, list[tuple[str, Decimal]]] = field(default_factory=dict)
    people_at: dict[str, float] = field(default_factory=dict)  # station -> real time of the last foreign scan
    cursor: str = "now"
    stale: set[str] = field(default_factory=set)

    @property
    def any_tablet(self) -> Tablet:
        """Whoever asks what everybody may know."""
        return next(iter(self.tablets.values()))

    def learn(self) -> None:
        """Reads loops and boards again."""
        self.loops = {loop["code"]: loop for loop in self.any_tablet.everything("/api/v1/loops")}
        self.stale = set(self.tablets)
        self.bills.clear()

    def look(self, now: float) -> None:
        """Reads what happened since the last look, then the boards that it concerns."""
        more = True
        while more:
            page = self.any_tablet.get("/api/v1/events", cursor=self.cursor, limit="500")
            self.cursor, more = page["cursor"], page["next"] is not None
            for event in page["results"]:
                self._notice(event, now)
        for station in sorted(self.stale & self.tablets.keys()):
            self.boards[station] = self.tablets[station].get(f"/api/v1/boards/{station}")
        self.stale.clear()

    def _notice(self, event: Facts, now: float) -> None:
        loop = self.loops.get(event["loop"]) if event["loop"] else None
        if loop is not None:
            self.stale |= {loop["demand"], loop["supply"]}
        elif event["loop"] or event["type"] == "loop.changed":
            self.learn()
        by = event["by"]
        foreign = by["device"] not in self.own_devices if by["device"] else by["person"] is not None
        if foreign and event["scan"] and event["station"]:
            self.people_at[event["station"]] = now

    def components(self, part: str) -> list[tuple[str, Decimal]]:
        """What goes into one piece of the part."""
        if part not in self.bills:
            bill = self.any_tablet.get(f"/api/v1/bills/{part}")
            self.bills[part] = [(line["part"], Decimal(line["quantity"])) for line in bill["components"]]
        return self.bills[part]

    def cards_of(self, loop: str) -> list[Facts]:
        """The cards of a loop, at its demand station."""
        demand = self.loops[loop]["demand"] if loop in self.loops else ""
        return [card for card in self.boards.get(demand, {}).get("to_use", []) if card["loop"] == loop]

    def usable(self, loop: str) -> list[Facts]:
        """Containers to take from: the open one first, then the one that stands longest."""
        found = [
            card
            for card in self.cards_of(loop)
            if card["supply_status"] in USABLE
            and card["card_status"] == "IN_CIRCULATION"
            and not card["blocked"]
        ]
        return sorted(found, key=lambda card: (card["supply_status"] != "IN_USE", card["full_since"] or ""))

    def has_material(self, station: str, turn: Facts) -> bool:
        """Whether everything that the turn needs stands at the station."""
        for part, per_piece in self.components(turn["part"]):
            feeding = [
                code
                for code, loop in self.loops.items()
                if loop["demand"] == station and loop["part"] == part and loop["status"] == "ACTIVE"
            ]
            there = sum(
                (Decimal(card["contents"]) for code in feeding for card in self.usable(code)), Decimal(0)
            )
            if feeding and there < Decimal(turn["asked"]) * per_piece:
                return False
        return True


class Crew:
    """Everybody on the floor: decides what would be done now, and has it scanned."""

    def __init__(
        self,
        shop: Shop,
        *,
        speed: float,
        stop: Event,
        chance: random.Random,
        clock: Callable[[], float] = time.monotonic,
        read_switches: Callable[[], Switches] = switches,
    ) -> None:
        self._shop = shop
        self._speed = speed
        self._stop = stop
        self._chance = chance
        self._clock = clock
        self._read_switches = read_switches
        self._switches = Switches()
        self._switches_read = float("-inf")
        self._minutes = 0.0
        self._at = clock()
        # When something that has been noticed will be done: working minutes.
        self._due: dict[str, float] = {}
        self._next_pull = 2.0
        self._pulled = 0
        self._next_supplies = SUPPLIES_MINUTES / 4
        self._late = ""
        self._next_late = LATE_EVERY_MINUTES / 4
        self._lateness = 0

    def work(self) -> None:
        """Scans until asked to stop."""
        self._shop.learn()
        pause = max(QUICK_LOOK_SECONDS, min(LOOK_SECONDS, 2.4 / self._speed))
        while not self._stop.is_set():
            self.step()
            self._stop.wait(pause)

    def step(self) -> list[Deed]:
        """One look around, and what is due by now."""
        now = self._clock()
        self._look_at_switches(now)
        if self._switches.paused:
            self._at = now
            return []
        self._minutes += min((now - self._at) * self._speed, LONGEST_STEP_MINUTES)
        self._at = now
        self._shop.look(now)
        done = []
        for deed in list(self._deeds()):
            if self._stop.is_set():
                break
            if self._left_alone(deed.station, now):
                continue
            self._do(deed)
            done.append(deed)
        self._forget()
        return done

    def _do(self, deed: Deed) -> None:
        answer = self._shop.tablets[deed.station].scan(deed.card, deed.intent, by=deed.by)
        if answer["outcome"] == "applied":
            self._due.pop(deed.about, None)
        else:
            self._due[deed.about] = self._minutes + REFUSED_AGAIN_MINUTES
            logger.debug("%s %s at %s: %s", deed.intent, deed.card, deed.station, answer["message"])
            # The board was older than the floor.
            self._shop.stale |= {deed.station}

    def _left_alone(self, station: str, now: float) -> bool:
        seen = self._shop.people_at.get(station)
        return station in self._switches.taken or (seen is not None and now - seen < HUMAN_STAYS_SECONDS)

    def _look_at_switches(self, now: float) -> None:
        if now - self._switches_read >= SWITCHES_SECONDS:
            self._switches_read = now
            try:
                self._switches = self._read_switches()
            except CannotSwitch:
                logger.debug("The switches cannot be read; they stay as they were.")

    # -- who does what -------------------------------------------------------------------------

    def _deeds(self) -> Iterator[Deed]:
        self._choose_who_is_late()
        for station, board in list(self._shop.boards.items()):
            for turn in board["to_fill"]:
                if turn["step"] in ("COMPLETED", "IN_TRANSIT"):
                    yield from self._receive(turn)
            if board["kind"] == "PROCESS":
                yield from self._make(station, board)
            elif board["kind"] in DELIVERY_MINUTES:
                yield from self._deliver(station, board)
        yield from self._pull()
        yield from self._use_supplies()

    def _receive(self, turn: Facts) -> Iterator[Deed]:
        """The material handler brings what is done to where it is used."""
        demand = turn["demand"]
        minutes = UNLOADING_MINUTES if turn["step"] == "IN_TRANSIT" else HANDLING_MINUTES
        about = f"receive {turn['id']}"
        if demand in self._shop.tablets and self._is_due(about, minutes):
            yield Deed(demand, turn["card"], "receive", HANDLERS.get(demand, ""), about)

    def _make(self, station: str, board: Facts) -> Iterator[Deed]:
        """An operator finishes what is begun, or begins what is due first and has its material."""
        by = BADGES.get(station, "")
        begun = [turn for turn in board["to_fill"] if turn["step"] == "IN_PROCESS"]
        for turn in begun:
            about = f"complete {turn['id']}"
            if self._is_due(about, BENCH_MINUTES.get(station, 10) * float(turn["asked"])):
                yield Deed(station, turn["card"], "complete", by, about)
        if begun:
            return
        for turn in board["to_fill"]:
            about = f"start {turn['id']}"
            if turn["step"] == "" and self._shop.has_material(station, turn):
                if self._is_due(about, 3):
                    yield Deed(station, turn["card"], "start", by, about)
                return

    def _deliver(self, station: str, board: Facts) -> Iterator[Deed]:
        """A supplier sends, the store room picks; the one who is late does not."""
        for turn in board["to_fill"]:
            about = f"load {turn['id']}"
            if (
                turn["step"] in ("", "IN_PROCESS")
                and self._is_due(about, DELIVERY_MINUTES[board["kind"]])
                and turn["loop"] != self._late
            ):
                yield Deed(station, turn["card"], "load", BADGES.get(station, ""), about)

    def _pull(self) -> Iterator[Deed]:
        """The customer takes one bin after the other in the levelled order, or comes back for it."""
        if self._minutes < self._next_pull or "SHIP" not in self._shop.boards:
            return
        loop = CUSTOMER_ORDER[self._pulled % len(CUSTOMER_ORDER)]
        there = self._shop.usable(loop)
        if not there:
            self._next_pull = self._minutes + CUSTOMER_RETURNS_MINUTES
            return
        self._next_pull = max(self._next_pull + PULL_MINUTES, self._minutes)
        self._pulled += 1
        yield Deed("SHIP", there[0]["code"], "empty", BADGES["SHIP"], "pull")

    def _use_supplies(self) -> Iterator[Deed]:
        """Somebody takes the last glove out of a bin."""
        if self._minutes < self._next_supplies:
            return
        self._next_supplies = self._minutes + self._around(SUPPLIES_MINUTES)
        loops = [code for code, loop in self._shop.loops.items() if loop["demand"] == "CABINET"]
        full = [cards for cards in (self._shop.usable(code) for code in loops) if len(cards) > 1]
        if full:
            card = self._chance.choice(full)[0]
            yield Deed("CABINET", card["code"], "empty", BADGES["CABINET"], "supplies")

    def _choose_who_is_late(self) -> None:
        """Now and then a supplier is late until the line stands dry for a while; then all recovers (A8)."""
        if self._late:
            dry = not self._shop.usable(self._late)
            if dry and self._is_due(f"dry {self._late}", DRY_MINUTES):
                self._due.pop(f"dry {self._late}")
                self._late = ""
                self._next_late = self._minutes + self._around(LATE_EVERY_MINUTES)
        elif self._minutes >= self._next_late:
            waiting = [code for code in LATE_LOOPS if code in self._shop.loops and self._is_called(code)]
            if waiting:
                self._late = waiting[self._lateness % len(waiting)]
                self._lateness += 1

    def _is_called(self, loop: str) -> bool:
        """Whether a container of the loop is empty and not yet under way."""
        return any(card["supply_status"] == "EMPTY" for card in self._shop.cards_of(loop))

    # -- time on the floor ---------------------------------------------------------------------

    def _is_due(self, about: str, minutes: float) -> bool:
        """Whether so much time has passed since this was noticed first."""
        if about not in self._due:
            self._due[about] = self._minutes + self._around(minutes)
        return self._minutes >= self._due[about]

    def _around(self, minutes: float) -> float:
        return minutes * self._chance.uniform(0.8, 1.2)

    def _forget(self) -> None:
        """Turns that are over need no date any more."""
        if len(self._due) > 500:
            open_turns = {turn["id"] for board in self._shop.boards.values() for turn in board["to_fill"]}
            self._due = {
                about: at for about, at in self._due.items() if about.rpartition(" ")[2] in open_turns
            }
