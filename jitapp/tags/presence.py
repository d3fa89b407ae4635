"""From reads to presences: a tag is in one zone of a reader, arrives there and leaves it. Pure; times are seconds.

- A tag arrives when it was read often enough, or strongly enough (settings of the zone).
- It leaves after so many seconds of silence. Readings of a tag in motion show gaps of half a second, so 0.2 s of
  silence mean nothing; three seconds end a presence.
- In reach of two zones it stays where it is until the other one is stronger by a margin. Strength is a mean of the last
  second or so (single reads vary by 10 dB and more), and fades while the zone does not hear the tag.
- In reach of two readers it is at the one that has it until the other hears it stronger by the margin: `is_elsewhere`.
- What comes late counts for the visit in which it lies, and never begins one that lies before the present one.
"""

from __future__ import annotations

import math

import msgspec

USUAL_DBM = (
    -60.0
)  # for readers that tell no strength: then the zone that heard the tag last is the stronger one
MEMORY_S = 0.7  # of the mean strength; longer, and it lags behind a tag that is carried past
GAP_S = 0.5
FADE_DB_A_SECOND = 6.0
FRESH_S = 1.0  # while the present zone was heard so lately, one read of another is none too many
RETURN_DB = 6.0  # more, to go back to the zone from which the tag has just come
MOST_ZONES = 16
CROSS_READ_S = 2.0  # within it a tag cannot be at two readers


class Zone(msgspec.Struct, frozen=True):
    """Settings of a zone: `enter_reads` reads, or one of at least `enter_rssi` dBm, make an arrival; reads below
    `floor_rssi` count for nothing; `margin_db` is how much stronger another zone must be to take the tag over."""

    id: int
    silence_s: float = 3.0
    enter_reads: int = 1
    enter_rssi: float | None = None
    floor_rssi: float | None = None
    margin_db: float = 4.0


class Heard(msgspec.Struct):
    """How one zone hears a tag: last at `at`, first (without a silence since) at `since`, `mean` dBm of weight."""

    at: float
    since: float
    mean: float
    weight: float = 1.0
    reads: int = 1
    best: float = USUAL_DBM

    def hear(self, at: float, rssi: float) -> None:
        """One more read."""
        step = max(0.0, at - self.at)
        self.weight = self.weight * math.exp(-step / MEMORY_S) + 1.0
        self.mean += (rssi - self.mean) / self.weight
        self.at = max(self.at, at)
        self.since = min(self.since, at)
        self.reads += 1
        self.best = max(self.best, rssi)

    def strength(self, at: float) -> float:
        """Mean dBm, less what it has faded since the last read; gaps of half a second are usual and fade nothing."""
        return self.mean - FADE_DB_A_SECOND * max(0.0, at - self.at - GAP_S)


class Presence(msgspec.Struct):
    """Where a tag is for one reader. `zone` 0: nowhere yet; `present` False: it has left `zone`. `visit` counts the
    arrivals; `came_from` is the zone that it left for this one without a silence; `first`, `last`, `reads` and `best`
    are those of the visit."""

    zone: int = 0
    visit: int = 0
    present: bool = False
    came_from: int = 0
    first: float = 0.0
    last: float = 0.0
    reads: int = 0
    best: float = USUAL_DBM
    heard: dict[int, Heard] = {}


class Arrived(msgspec.Struct, frozen=True):
    """The tag came into a zone: its first read there was at `at`."""

    zone: int
    visit: int
    at: float


class Left(msgspec.Struct, frozen=True):
    """The tag was last read in the zone at `at`, after so many reads, the best of so many dBm."""

    zone: int
    visit: int
    at: float
    reads: int = 0
    best: float = USUAL_DBM


Change = Arrived | Left


def hear(
    tag: Presence, zone: Zone, at: float, rssi: float | None, zones: dict[int, Zone]
) -> list[Change] | None:
    """One read of a tag in a zone; what changed by it. None: the read counts for nothing, because it is too weak or
    lies before the present visit."""
    if rssi is not None and zone.floor_rssi is not None and rssi < zone.floor_rssi:
        return None
    changes: list[Change] = [*silence(tag, at, zones)]
    heard = tag.heard.get(zone.id)
    if tag.visit and at < tag.first - zone.silence_s:
        return None
    strength = USUAL_DBM if rssi is None else rssi
    if heard is None or at - heard.at >= zone.silence_s:
        heard = tag.heard[zone.id] = Heard(at, at, strength, best=strength)
        _forget(tag, at, zones)
    else:
        heard.hear(at, strength)
    if tag.present and tag.zone == zone.id:
        _go_on(tag, at, strength)
    elif not tag.present and tag.zone == zone.id and at - tag.last < zone.silence_s:
        tag.present = True  # its end was told too early: the read had been on its way
        _go_on(tag, at, strength)
    elif at >= tag.last - zone.silence_s and _enters(heard, zone, rssi) and _takes_over(tag, heard, zone, at):
        if tag.present:
            changes.append(Left(tag.zone, tag.visit, tag.last, tag.reads, tag.best))
        changes.append(_arrive(tag, zone, heard))
    return changes


def _go_on(tag: Presence, at: float, strength: float) -> None:
    tag.first, tag.last = min(tag.first, at), max(tag.last, at)
    tag.reads += 1
    tag.best = max(tag.best, strength)


def _arrive(tag: Presence, zone: Zone, heard: Heard) -> Arrived:
    tag.came_from = tag.zone if tag.present else 0
    tag.zone, tag.present, tag.visit = zone.id, True, tag.visit + 1
    tag.first, tag.last, tag.reads, tag.best = heard.since, heard.at, heard.reads, heard.best
    return Arrived(zone.id, tag.visit, heard.since)


def _enters(heard: Heard, zone: Zone, rssi: float | None) -> bool:
    return heard.reads >= zone.enter_reads or (
        rssi is not None and zone.enter_rssi is not None and rssi >= zone.enter_rssi
    )


def _takes_over(tag: Presence, heard: Heard, zone: Zone, at: float) -> bool:
    """Whether the zone may have a tag that is in another one."""
    if not tag.present:
        rivals = [each for each in tag.heard.values() if each is not heard and at - each.at < FRESH_S]
        return all(heard.strength(at) >= each.strength(at) for each in rivals)
    present = tag.heard.get(tag.zone)
    if present is None:
        return True
    if heard.reads < 2 and at - present.at < FRESH_S:
        return False
    margin = zone.margin_db + (
        RETURN_DB if zone.id == tag.came_from and at - tag.first < zone.silence_s else 0.0
    )
    return heard.strength(at) >= present.strength(at) + margin


def silence(tag: Presence, now: float, zones: dict[int, Zone], *, grace_s: float = 0.0) -> list[Left]:
    """Ends a presence whose zone has not heard the tag for so long. `grace_s`: how much longer a read may be on its
    way, where the clock asks and not a later read."""
    if not tag.present:
        return []
    zone = zones.get(tag.zone)
    patience = (zone.silence_s if zone is not None else 0.0) + grace_s
    if now - tag.last < patience:
        return []
    tag.present = False
    return [Left(tag.zone, tag.visit, tag.last, tag.reads, tag.best)]


def is_seen_there(there: Presence, at: float) -> bool:
    """Whether another reader hears the tag at this instant; clocks of readers may differ by some tenths of a second."""
    return there.zone > 0 and there.first - CROSS_READ_S <= at <= there.last + CROSS_READ_S


def is_elsewhere(here: Heard | None, there: Presence, at: float, margin_db: float) -> bool:
    """Whether a tag that a zone hears is at another reader all the same: that one hears it too, and the zone does not
    hear it stronger by its margin. Of a reader that hears it no longer the strength fades, and so the tag goes on."""
    heard = there.heard.get(there.zone)
    if heard is None or not is_seen_there(there, at):
        return False
    strength = USUAL_DBM if here is None else here.strength(at)
    return strength < heard.strength(at) + margin_db


def _forget(tag: Presence, at: float, zones: dict[int, Zone]) -> None:
    """Zones that have not heard the tag for long, and those that are no more; the table holds no others."""
    stale = [id for id, each in tag.heard.items() if id not in zones or at - each.at >= zones[id].silence_s]
    for id in stale:
        if id != tag.zone:
            del tag.heard[id]
    for id in sorted(tag.heard, key=lambda id: tag.heard[id].at)[: max(0, len(tag.heard) - MOST_ZONES)]:
        if id != tag.zone:
            del tag.heard[id]
