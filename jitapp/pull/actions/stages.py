"""The stages of a scan on its way through the transaction: read, locate, situation, verdict, write, answer; what one
hands to the next is frozen.

Read is what the code means. Located is the card under its lock. Situated is who scans it, where and when, and what the
rules ask about the stations. Decided is the verdict of the rules, its entries written onto the loop.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import msgspec
from msgspec.structs import replace

from jitapp.accounts.models import Person, new_uuid
from jitapp.kanban.guards import CLOCK_SLACK, slack_of
from jitapp.kanban.ledger import Decision, Facts, Scan
from jitapp.kanban.lifecycle import decide
from jitapp.kanban.names import tidy
from jitapp.kanban.state import STATUSES, Card, Loop
from jitapp.kanban.vocabulary import Intent, Role
from jitapp.plant.configs import Configs, StationInfo
from jitapp.plant.scanners import site
from jitapp.pull import store
from jitapp.pull.acting import actor_of
from jitapp.pull.actions.circumstances import circumstances
from jitapp.pull.models import Card as CardRow
from jitapp.pull.scan_request import Actor, ScanRequest, Source, escaped
from jitapp.symbology.cardcode import is_card_code
from jitapp.symbology.layouts import read_back
from jitapp.symbology.meaning import LONGEST_NAME, Meaning, meaning_of

INTENTS = {intent.value: intent for intent in Intent}
LEADERS = frozenset({Role.LEADER, Role.ADMIN})
NO_ROLES: frozenset[str] = frozenset()
# Steps of whoever fills the container, which may be another plant than the one whose card it is.
BY_THE_SUPPLIER = frozenset(
    {
        Intent.ACKNOWLEDGE,
        Intent.PROMISE,
        Intent.REJECT,
        Intent.START,
        Intent.COMPLETE,
        Intent.ABORT,
        Intent.LOAD,
        Intent.SHIP,
        Intent.RECALL,  # with the consent of the cell's leader
    }
)
NEVER_SET = datetime(2000, 1, 1, tzinfo=UTC)  # a device that tells an earlier time has never been told it
# Card codes never change and are never reused, so what a code points to may be remembered.
_REMEMBERED = 50_000
_SHOWN = 40  # characters of a raw code in a sentence; the receipt keeps it whole
_cards: dict[str, tuple[int, int]] = {}


class Refusal(msgspec.Struct, frozen=True):
    """A scan that ends before the rules see it: a code of the catalogue, and facts for its sentence."""

    code: str
    facts: Facts = msgspec.field(default_factory=dict)


class Read(msgspec.Struct, frozen=True):
    """A scan whose code has been looked up. `pair` is the other card of a swap: the one on the full container."""

    request: ScanRequest
    card_id: int | None = None
    loop_id: int | None = None
    pair_card_id: int | None = None
    pair_loop_id: int | None = None
    refusal: Refusal | None = None
    completes: bool = (
        False  # the pair was scanned after the withdrawal card, whatever intent it was scanned with
    )

    @property
    def intent(self) -> str | None:
        """What the scan means, as its request says it; the second half of a swap loads the container."""
        return str(Intent.LOAD) if self.completes else self.request.meant or self.request.intent

    def swapped(self, card_id: int, loop_id: int) -> Read:
        """The same scan as one of the withdrawal card, whose pair is the card that was read."""
        return replace(
            self,
            card_id=card_id,
            loop_id=loop_id,
            pair_card_id=self.card_id,
            pair_loop_id=self.loop_id,
            completes=True,
        )


class Located(msgspec.Struct, frozen=True):
    """The scan's loop and card under the lock, when it happened, and when it is recorded."""

    read: Read
    loop: Loop | None
    card: Card | None
    occurred_at: datetime
    recorded_at: datetime
    refusal: Refusal | None


class Situated(msgspec.Struct, frozen=True):
    """A located scan with whose it is and where it was made; `scan` is what the rules see of it, None for a refusal."""

    located: Located
    station: StationInfo | None
    person_id: int | None
    scan: Scan | None
    refusal: Refusal | None
    actor: Actor | None = None  # what became of the person whom the scan named; None if it named nobody


class Decided(msgspec.Struct, frozen=True):
    """What the rules, or an earlier stage, made of the scan."""

    situated: Situated
    decision: Decision


# -- read --------------------------------------------------------------------------------------------------
def read(requests: Sequence[ScanRequest]) -> list[Read]:
    """Guards G1 and G2: from what the scanner read to cards, or a refusal by name; what is not remembered is asked in
    one question, and codes that nobody knows once more as a wrong keyboard layout would have them."""
    remembered = {
        request.code: card for request in requests if (card := _cards.get(request.code)) is not None
    }
    meant = {each.code: meaning_of(each.code, site()) for each in requests if each.code not in remembered}
    targets = _resolved([name for meaning in meant.values() for name in meaning.names]) if meant else {}
    return [
        Read(request, *remembered[request.code])
        if request.code in remembered
        else _read(request, meant[request.code], targets)
        for request in requests
    ]


def _resolved(names: Sequence[str]) -> dict[str, store.Target]:
    """What names stand for, those of cards remembered; names that nobody knows are left out."""
    targets = {name: store.Target("card", *card) for name in names if (card := _cards.get(name)) is not None}
    asked = [name for name in dict.fromkeys(names) if name not in targets]
    if not asked:
        return targets
    for name, target in store.resolve(asked).items():
        targets[name] = target
        # What a bin carries may change; a card's own code does not.
        if is_card_code(name):
            _remember(name, target)
    return targets


def _remember(read: str, target: store.Target) -> None:
    if target.kind == "card" and target.loop_id is not None:
        if len(_cards) >= _REMEMBERED:
            _cards.clear()
        _cards[read] = (target.id, target.loop_id)


def _read(request: ScanRequest, meaning: Meaning, targets: Mapping[str, store.Target]) -> Read:
    known = [(name, targets[name]) for name in meaning.names if name in targets]
    cards = {target.id: (name, target) for name, target in reversed(known) if _is_card(target)}
    if len(cards) > 1 and known[0][0] != request.code.strip():
        # A label that carries the codes of two cards says neither; one that is known as a whole is known.
        both = " + ".join(dict.fromkeys(name for name, _ in reversed(cards.values())))
        return _refused(request, "two_codes", both)
    first = next((target for _, target in known if _is_card(target)), None)
    if first is not None:
        if len(request.code) <= LONGEST_NAME and is_card_code(meaning.names[0]):
            _remember(
                request.code, first
            )  # an address, lower case: whatever holds one card code means that card
        return Read(request, first.id, first.loop_id)
    if known and meaning.refusal != "makers_label":
        return _refused(request, "not_a_card", request.code.strip(), kind=known[0][1].kind)
    refused = _refused(request, meaning.refusal, meaning.shown)
    return refused if meaning.refusal != "unknown_card" else _through_layouts(refused)


def _is_card(target: store.Target) -> bool:
    return target.kind == "card" and target.loop_id is not None


def _refused(request: ScanRequest, code: str, shown: str, **facts: str) -> Read:
    raw, most = escaped(shown), _SHOWN if code != "two_codes" else 5 * _SHOWN
    raw = raw if len(raw) <= most else raw[:most] + "…"
    return Read(request, refusal=Refusal(code, {"raw": raw or "(nothing)", **facts}))


def _through_layouts(found: Read) -> Read:
    """A code that looks right and that nobody knows may be another one, typed through a wrong keyboard layout."""
    codes = [each.code for each in read_back(found.request.code.strip())]
    known = {target.id: target for target in _resolved(codes).values() if _is_card(target)} if codes else {}
    if len(known) != 1:
        return found
    (target,) = known.values()
    return Read(found.request, target.id, target.loop_id)


# -- locate ------------------------------------------------------------------------------------------------
def locate(unit: store.UnitOfWork, found: Read, source: Source, now: datetime) -> Located:
    """The card under its lock, or why there is none for this source."""
    request, refusal = found.request, found.refusal
    loop = unit.loops.get(found.loop_id) if found.loop_id is not None else None
    card = loop.cards.get(found.card_id) if loop is not None and found.card_id is not None else None
    occurred = happened_at(request, now)
    if refusal is None and (loop is None or card is None):
        # The card was removed, or the memory of its code is older than the database (a restore).
        for name in (request.code, *meaning_of(request.code).names):
            _cards.pop(name, None)
        refusal = _withdrawn(found, loop, occurred, now)
    if loop is not None and not {loop.config.plant_id, loop.config.supply_plant_id} & source.plant_ids:
        refusal = Refusal("unknown_card", {"raw": escaped(request.code.strip())[:40]})
        loop = card = None
    if refusal is None and loop is not None:
        refusal = _unusable(unit.configs, loop, found.pair_loop_id)
    if refusal is not None and refusal.code == "not_a_card_code":
        refusal = _badge(unit.configs, request.code, source) or refusal
    if card is not None and card.moved_at is not None and card.moved_at > now:
        # Whoever held the lock before us read the clock after us, or our clock was set back: the order is the lock's.
        now = card.moved_at
        occurred = now if request.occurred_at is None else occurred
    return Located(found, loop, card, occurred, now, refusal)


def _badge(known: Configs, raw: str, source: Source) -> Refusal | None:
    """The badge of somebody who works here: no card, and no maker's label either."""
    person_id = known.badges.find(raw)
    if person_id is None or not known.works_in(person_id, source.plant_ids):
        return None
    name = Person.objects.filter(pk=person_id).values_list("name", flat=True).first()
    return Refusal("badge_scanned", {"name": name or tidy(raw)[:40]})


def _unusable(known: Configs, loop: Loop, pair_loop_id: int | None) -> Refusal | None:
    """Settings that cannot be read say nothing of what may happen to a card."""
    why = known.unreadable.get(loop.config.id) or known.unreadable.get(pair_loop_id or 0)
    return Refusal("settings_unreadable", {"loop": loop.config.code, "why": why}) if why else None


def _withdrawn(found: Read, loop: Loop | None, occurred: datetime, now: datetime) -> Refusal:
    """A code that points to a card which takes part no more, or to nothing at all. What happened before the card was
    taken out waits for a person."""
    row = CardRow.objects.filter(pk=found.card_id).first() if found.card_id is not None else None
    if loop is None or row is None:
        return Refusal("unknown_card", {"raw": escaped(found.request.code.strip())[:40]})
    facts = {"part": loop.config.part, "number": row.number, "of": max(loop.circulating, row.number)}
    slack = slack_of(occurred, now, compared=_compared(found.request))
    if row.moved_at is not None and row.moved_at - occurred > slack:
        return Refusal("late_conflict", facts | {"occurred": occurred})
    return Refusal("card_retired", facts)


def happened_at(request: ScanRequest, now: datetime) -> datetime:
    """When a scan happened by our clock: the client's, corrected by its measured offset, never after now.

    A clock that was never set says nothing: then it happened when it came.
    """
    occurred = request.occurred_at
    if occurred is None:
        return now
    if occurred.tzinfo is None:
        occurred = occurred.replace(tzinfo=UTC)
    if request.sent_at is not None:
        sent = request.sent_at if request.sent_at.tzinfo else request.sent_at.replace(tzinfo=UTC)
        skew = now - sent
        if abs(skew) > CLOCK_SLACK:
            try:
                occurred += skew
            except OverflowError:
                return now
    return min(occurred, now) if occurred > NEVER_SET else now


def _compared(request: ScanRequest) -> bool:
    """Whether the instant of the scan is one of ours: the device's clock was compared, or the scan has none."""
    return request.sent_at is not None or request.occurred_at is None


# -- situation ---------------------------------------------------------------------------------------------
def situate(unit: store.UnitOfWork, located: Located, source: Source) -> Situated:
    """Who scans, where, and what the rules ask about the stations; or why the rules need not be asked."""
    request = located.read.request
    actor = request.actor
    if actor is None and request.by and tidy(request.by):
        # Somebody unknown never stops a scan: the device is on record, and the answer says that nobody has this name.
        actor = actor_of(unit.configs, request.by, source)
    person_id = source.person_id if actor is None else actor.person_id
    station, misplaced = _station(unit.configs, request, source)
    refusal = located.refusal or _kept(located, misplaced, actor) or misplaced
    if refusal is None and request.intent is not None and request.intent not in INTENTS:
        refusal = Refusal("move_not_known")
    if refusal is not None or located.loop is None or located.card is None:
        return Situated(located, station, person_id, None, refusal, actor)
    station_id = station.id if station else None
    intent = located.read.intent
    plants = _deciding(located.loop, intent)
    own = (source if actor is None else actor).roles_at(*plants)  # somebody who is only named has none
    lent = request.allowed.roles_at(*plants) & LEADERS if request.allowed and not own & LEADERS else NO_ROLES
    roles = own | lent
    around = circumstances(unit, located.loop, located.card, intent, station_id)
    scan = Scan(
        id=request.id,
        intent=INTENTS.get(intent or ""),
        station_id=station_id,
        station=station.code if station else "",
        device_id=source.device_id,
        person_id=person_id,
        occurred_at=located.occurred_at,
        recorded_at=located.recorded_at,
        quantity=request.quantity,
        reason=escaped((request.reason or "").strip())[:200],
        is_leader=bool(LEADERS & roles),
        is_placeless=source.placeless and not plants.isdisjoint(source.plant_ids),
        roles=roles,
        target=STATUSES.get(request.status or ""),
        promised_at=request.promised_at,
        checks=frozenset(request.checks),
        in_process=around.in_process,
        ahead=around.ahead,
        at_hand=around.at_hand,
        line_stopped=around.line_stopped,
        missing=around.missing,
        market_empty=around.market_empty,
        turn=request.turn,
        undoes=request.undoes,
        settles=request.settles,
        allowed_by=request.allowed.person if request.allowed and lent else None,
        compared=_compared(request),
        new_uuid=new_uuid,
        last_entries=store.last_entries(located.card.last_scan, located.loop.config.id)
        if request.intent == Intent.UNDO
        else (),
    )
    return Situated(located, station, person_id, scan, None, actor)


def _kept(located: Located, misplaced: Refusal | None, actor: Actor | None) -> Refusal | None:
    """Why a scan that was kept on a device is not applied: whoever made it took it back before it was sent; or, so that
    it waits for a person, its station or whoever made it is not known any more."""
    loop, card, request = located.loop, located.card, located.read.request
    if not request.kept or loop is None or card is None:
        return None
    facts: dict[str, object] = {
        "part": loop.config.part,
        "number": card.number,
        "of": max(loop.circulating, card.number),
    }
    if request.withdrawn:
        return Refusal("withdrawn", facts)
    if misplaced is not None:
        return Refusal("station_gone", facts | dict(misplaced.facts))
    if actor is not None and actor.doubt == "by_unknown":
        return Refusal("person_gone", facts | {"occurred": located.occurred_at})
    return None


def _deciding(loop: Loop, intent: str | None) -> set[int]:
    """The plants whose roles and ERP count: the card's, and for the steps of whoever fills it the supplying one too."""
    plants = {loop.config.plant_id}
    if intent in BY_THE_SUPPLIER:
        plants.add(loop.config.supply_plant_id)
    return plants


def _station(
    known: Configs, request: ScanRequest, source: Source
) -> tuple[StationInfo | None, Refusal | None]:
    """The station of the scan: the one it names, else the device's own; or the refusal."""
    named = known.stations.find(request.station) if request.station else None
    if named is None and not tidy(request.station or ""):
        return (known.station_by_id.get(source.station_id) if source.station_id else None), None
    if named is None or named.plant_id not in source.plant_ids:
        refusal = "unknown_station"
    elif source.fixed and source.station_id is not None and named.id != source.station_id:
        refusal = "wrong_device_station"
    else:
        return named, None
    return None, Refusal(refusal, {"station": escaped(tidy(request.station or ""))})


# -- verdict -----------------------------------------------------------------------------------------------
def refuse(situated: Situated) -> Decided:
    """A scan that never came to the rules."""
    request, refusal = situated.located.read.request, situated.refusal
    assert refusal is not None
    facts: dict[str, object] = {
        "station": escaped(request.station or ""),
        "intent": escaped(request.intent or "")[:20],
        "expected": "-",
    }
    return Decided(situated, Decision(refusal.code, facts | dict(refusal.facts)))


def verdict(situated: Situated) -> Decided:
    """The decision of the rules, its entries folded into the loop."""
    located = situated.located
    assert located.loop is not None
    assert located.card is not None
    assert situated.scan is not None
    return Decided(situated, decide(located.loop, located.card, situated.scan))
