"""The demonstration's people at work in the running shop: they scan, call and answer through the API.

They see what people see (a station's board, the event feed) and do what people do; nothing is told them that a
tablet could not know. A station that somebody has chosen on the scan page, or where somebody else scans, is left alone.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from threading import Event
from typing import Any

import httpx
from uuid_utils.compat import uuid7

from jitapp.live.demo import CannotSwitch, Switches, switches
from jitapp.workshop.demo.client import Tablet
from jitapp.workshop.demo.crew import Crew
from jitapp.workshop.demo.floor import (
    Bin,
    Call,
    Deed,
    Floor,
    Job,
    Promise,
    Resume,
    Route,
    Scan,
    Solve,
    Stop,
    Take,
)
from jitapp.workshop.demo.troubles import AWAY, LEADERS, MACHINE

logger = logging.getLogger(__name__)

DONE = ("applied", "already")
Facts = dict[str, Any]  # a JSON object of the API
LOOK_SECONDS = 0.4
HUMAN_STAYS_SECONDS = 300.0
# On a slow machine, or one that slept, the crew's clock waits for its people.
LONGEST_STEP_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Given:
    """What the operators need: a tablet for each station, the devices that are theirs, PINs by badge."""

    tablets: Mapping[str, Tablet]
    own_devices: frozenset[str]
    pins: Mapping[str, str]


class LiveFloor(Floor):
    """The running shop, as its tablets show it."""

    def __init__(self, given: Given) -> None:
        super().__init__()
        self._given = given
        self._bills: dict[str, list[tuple[str, Decimal]]] = {}
        self._people_at: dict[str, float] = {}  # station -> when somebody else last scanned there
        self._cursor = "now"
        self._stale: set[str] = set()
        self._bins_at: dict[str, list[Bin]] = {}

    @property
    def _any_tablet(self) -> Tablet:
        """Whoever asks what everybody may know."""
        return next(iter(self._given.tablets.values()))

    def learn(self) -> None:
        """Reads loops and boards again."""
        self.routes = {
            loop["code"]: Route(
                loop["code"],
                loop["part"],
                loop["demand"],
                loop["supply"],
                60.0 * loop["lead_time_minutes"],
                loop["status"] == "ACTIVE",
            )
            for loop in self._any_tablet.everything("/api/v1/loops")
        }
        self._stale = set(self._given.tablets)
        self._bills.clear()

    def look(self, seconds: float) -> None:
        """Reads what happened since the last look, then the boards that it concerns."""
        more = True
        while more:
            page = self._any_tablet.get("/api/v1/events", cursor=self._cursor, limit="500")
            self._cursor, more = page["cursor"], page["next"] is not None
            for event in page["results"]:
                self._notice(event, seconds)
        for station in sorted(self._stale & self._given.tablets.keys()):
            self._read(station, self._given.tablets[station].get(f"/api/v1/boards/{station}"))
        self._stale.clear()

    def _notice(self, event: Facts, seconds: float) -> None:
        route = self.routes.get(event["loop"]) if event["loop"] else None
        if route is not None:
            self._stale |= {route.demand, route.supply}
        elif event["loop"] or event["type"] == "loop.changed":
            self.learn()
        by = event["by"]
        foreign = by["device"] not in self._given.own_devices if by["device"] else by["person"] is not None
        if foreign and event["scan"] and event["station"]:
            self._people_at[event["station"]] = seconds

    def _read(self, station: str, board: Facts) -> None:
        self.stations[station] = board["kind"]
        self.jobs[station] = [
            Job(
                turn["id"],
                turn["card"],
                turn["loop"],
                turn["part"],
                turn["demand"],
                turn["supply"],
                Decimal(turn["asked"]),
                turn["step"],
            )
            for turn in board["to_fill"]
        ]
        self._bins_at[station] = [
            Bin(
                card["code"],
                card["loop"],
                card["supply_status"],
                Decimal(card["contents"]),
                card["full_since"] or "",
                card["card_status"] == "IN_CIRCULATION" and not card["blocked"],
            )
            for card in board["to_use"]
        ]
        self.bins = {}
        for found in self._bins_at.values():
            for each in found:
                self.bins.setdefault(each.loop, []).append(each)

    def components(self, part: str) -> list[tuple[str, Decimal]]:
        """From the bill, read once."""
        if part not in self._bills:
            bill = self._any_tablet.get(f"/api/v1/bills/{part}")
            self._bills[part] = [(line["part"], Decimal(line["quantity"])) for line in bill["components"]]
        return self._bills[part]

    def left_alone(self, station: str, seconds: float) -> bool:
        """A station that was taken, or where somebody scanned by hand a short time ago."""
        seen = self._people_at.get(station)
        return station in self.taken or (seen is not None and seconds - seen < HUMAN_STAYS_SECONDS)

    def tidy(self) -> None:
        """Ends what operators before these left open: nobody else would solve their calls or staff their stations."""
        for call in self._any_tablet.everything("/api/v1/calls", open="1"):
            jam = next((jam for jam in MACHINE if jam[0] == call["note"]), None)
            if call["kind"] == "machine" and jam is not None:
                self.do(Solve(call["station"], LEADERS[call["station"]], "", "machine", jam[1], jam[2]))
        for station in LEADERS:
            standing = self._given.tablets[station].get(f"/api/v1/stations/{station}/states")
            for state in standing["states"]:
                if state["kind"] == "no_operator" and state["note"] in AWAY:
                    self.do(Resume(station, "", "", "no_operator"))

    # -- what is done ----------------------------------------------------------------------------

    def do(self, deed: Deed) -> bool:
        """Through the API, at the station's tablet. A refusal is looked at again later."""
        tablet = self._given.tablets[deed.station]
        try:
            said = self._send(tablet, deed)
        except httpx.HTTPStatusError as refused:
            said = refused.response.text
        if said:
            logger.debug("%s: %s", deed, said)
        # Who did something looks at the result: the feed may come later (a long transaction anywhere in the server
        # holds it back), and by then the same deed would have been tried again on the board of before.
        self._stale |= {deed.station}
        if isinstance(deed, Scan | Promise):
            self._stale |= self._both_ends(deed.card)
        return not said

    def _both_ends(self, card: str) -> set[str]:
        """The stations that show the card."""
        for bins in self._bins_at.values():
            for each in bins:
                if each.card == card and (route := self.routes.get(each.loop)):
                    return {route.demand, route.supply}
        return set()

    def _send(self, tablet: Tablet, deed: Deed) -> str:
        """Why it was not done, or nothing. Raises HTTPStatusError for a refusal."""
        by = {"by": deed.by} if deed.by else {}
        proof = {"by": deed.by, "pin": self._given.pins.get(deed.by, "")}
        match deed:
            case Scan():
                answer = tablet.scan(deed.card, deed.intent, by=deed.by)
                return "" if answer["outcome"] in DONE else answer["message"]
            case Promise():
                at = datetime.now(UTC) + timedelta(seconds=deed.seconds)
                answer = tablet.scan(deed.card, "promise", promised_at=at.isoformat())
                return "" if answer["outcome"] in DONE else answer["message"]
            case Call():
                said = {"station": deed.station, "kind": deed.kind, "note": deed.note} | by
                tablet.post("/api/v1/calls", {**said, "id": str(uuid7()), "stops_line": True})
            case Take():
                tablet.post(f"/api/v1/calls/{self._open_call(tablet, deed)}/take", proof)
            case Solve():
                words = {"reason": deed.reason, "countermeasure": deed.countermeasure}
                tablet.post(f"/api/v1/calls/{self._open_call(tablet, deed)}/solve", words | proof)
            case Stop():
                said = {"kind": deed.kind, "note": deed.note}
                tablet.post(f"/api/v1/stations/{deed.station}/states", said | by)
            case Resume():
                tablet.post(f"/api/v1/stations/{deed.station}/states/{deed.kind}/end", by)
        return ""

    def _open_call(self, tablet: Tablet, deed: Take | Solve) -> str:
        """The id of the call that a leader takes or solves; "none" is refused as not found."""
        loop = deed.loop if isinstance(deed, Take) else ""
        for call in tablet.everything("/api/v1/calls", open="1", station=deed.station):
            if call["kind"] == deed.kind and (not loop or call["loop"] == loop):
                return str(call["id"])
        return "none"


def work(
    floor: LiveFloor,
    crew: Crew,
    *,
    speed: float,
    stop: Event,
    clock: Callable[[], float] = time.monotonic,
    read_switches: Callable[[], Switches] = switches,
) -> None:
    """Scans until asked to stop; `speed` seconds of the crew's clock pass in one second."""
    shift = Shift(floor, crew, speed=speed, clock=clock, read_switches=read_switches)
    while not stop.is_set():
        shift.step()
        stop.wait(max(LOOK_SECONDS / max(speed, 1), 0.1))


class Shift:
    """The crew's clock: it stands still while the operators were stopped."""

    def __init__(
        self,
        floor: LiveFloor,
        crew: Crew,
        *,
        speed: float,
        clock: Callable[[], float],
        read_switches: Callable[[], Switches],
    ) -> None:
        self._floor = floor
        self._crew = crew
        self._speed = speed
        self._clock = clock
        self._read_switches = read_switches
        self._switches = Switches()
        self._seconds = 0.0
        self._at = clock()
        floor.learn()
        floor.tidy()

    def step(self) -> list[Deed]:
        """One look at the switches and one round of the crew; what was done."""
        now = self._clock()
        try:
            self._switches = self._read_switches()
        except CannotSwitch:
            logger.debug("The switches cannot be read; they stay as they were.")
        passed, self._at = now - self._at, now
        if self._switches.paused:
            return []
        self._seconds += min(passed * self._speed, LONGEST_STEP_SECONDS)
        self._floor.taken = self._switches.taken
        return self._crew.step(self._seconds)
