"""A small shop written straight into the tables, with a loop in every state a board can show."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from jitapp.accounts.models import Person
from jitapp.kanban.standing import AT_A_SUPPLIER, UNDER_WAY, WAITING
from jitapp.kanban.vocabulary import Party, Role, SignalState
from jitapp.plant.models import Area, Calendar, Identifier, Loop, Membership, Part, Plant, Station, Supplier
from jitapp.pull.models import Card, LoopState, Runout, Turn
from jitapp.pull.scan_request import Source
from jitapp.symbology.cardcode import make_code

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)


@dataclass
class Shop:
    """What was made, by short names."""

    plant: Plant
    area: Area
    stations: dict[str, Station]
    loops: dict[str, Loop] = field(default_factory=dict)
    now: datetime = NOW
    made: int = 0

    def loop(self, code: str, part: str, supply: str, demand: str, **options: object) -> Loop:
        """A loop without cards."""
        description = str(options.pop("description", ""))
        thing, _ = Part.objects.get_or_create(
            plant=self.plant, number=part, defaults={"description": description}
        )
        options.setdefault("quantity", Decimal(12))
        options.setdefault("kind", "TWO_BIN")
        loop = Loop.objects.create(
            plant=self.plant,
            code=code,
            part=thing,
            supply=self.stations[supply],
            demand=self.stations[demand],
            **options,
        )
        LoopState.objects.update_or_create(loop=loop, defaults={"seq": 10, "been_full": True})
        self.loops[code] = loop
        return loop

    def card(
        self, loop: Loop, number: int, status: str, *, contents: int | None = None, **options: object
    ) -> Card:
        """A card in circulation with the given supply status."""
        self.made += 1
        full = status in ("FULL", "IN_USE")
        options.setdefault("card_status", "IN_CIRCULATION")
        card = Card.objects.create(
            loop=loop,
            code=make_code(9_000_000_000 + loop.pk * 1000 + number),
            number=number,
            supply_status=status,
            quantity=loop.quantity,
            contents=Decimal(contents) if contents is not None else (loop.quantity if full else 0),
            moved_at=self.now - timedelta(minutes=20),
            **options,
        )
        Identifier.objects.create(code=card.code, kind="card", target_id=card.pk)
        return card

    def turn(
        self,
        card: Card,
        *,
        minutes_ago: int,
        due_in: int,
        step: str = "",
        owner: str = "station",
        **more: object,
    ) -> Turn:
        """An open, released turn of a card, in its present step since it was started or else released."""
        at = self.now - timedelta(minutes=minutes_ago)
        started = at + timedelta(minutes=5) if step else None
        since = started or at
        waits = (
            AT_A_SUPPLIER[SignalState.RELEASED] if owner == Party.SUPPLIER else WAITING[SignalState.RELEASED]
        )
        standing = UNDER_WAY[step][0] if step else waits[0]
        return Turn.objects.create(
            card=card,
            loop=card.loop,
            supply=card.loop.supply,
            number=90,
            standing=standing,
            stretches=[[standing, owner, since.isoformat(), 9]],
            signal_state="RELEASED",
            step=step,
            asked=card.quantity,
            opened_at=at,
            released_at=at,
            started_at=started,
            due_at=self.now + timedelta(minutes=due_in),
            owner=owner,
            owner_since=since,
            **more,
        )

    def history(self, loop: Loop, *, every: int, taken: int, count: int = 6, newest: int = 30) -> None:
        """Closed turns: one each `every` minutes, filled again `taken` minutes later; the newest `newest` ago."""
        card = loop.cards.get(number=1)
        for k in range(count):
            opened = self.now - timedelta(minutes=newest + every * k)
            Turn.objects.create(
                card=card,
                loop=loop,
                supply=loop.supply,
                number=80 - k,
                signal_state="CLOSED",
                asked=loop.quantity,
                received=loop.quantity,
                opened_at=opened,
                released_at=opened,
                closed_at=opened + timedelta(minutes=taken),
                owner="",
            )

    def runout(
        self, loop: Loop, *, minutes_ago: int, cause: str = "queue", upstream: Runout | None = None
    ) -> Runout:
        """An open runout."""
        return Runout.objects.create(
            loop=loop,
            opened_at=self.now - timedelta(minutes=minutes_ago),
            opened_seq=5,
            cause=cause,
            owner="station",
            upstream=upstream,
        )


def make_shop(now: datetime = NOW) -> Shop:
    """A plant with one area, four stations and a supplier; no loops."""
    plant = Plant.objects.create(code="ORLANDO", name="Orlando", time_zone="America/New_York")
    Calendar.objects.create(plant=plant, code="ALWAYS", is_default=True)
    area = Area.objects.create(plant=plant, code="SMT", name="Board assembly")
    supplier = Supplier.objects.create(plant=plant, code="ACME", name="Acme Components")
    stations = {
        code: Station.objects.create(
            plant=plant,
            area=area if kind != "SUPPLIER" else None,
            code=code,
            name=name,
            kind=kind,
            position=place,
            supplier=supplier if kind == "SUPPLIER" else None,
        )
        for place, (code, name, kind) in enumerate(
            [
                ("ACME-DOCK", "Acme dock", "SUPPLIER"),
                ("PASTE", "Solder paste", "PROCESS"),
                ("REFLOW", "Reflow oven", "PROCESS"),
                ("TEST", "Test bench", "PROCESS"),
                ("SHIP", "Shipping", "SHIPPING"),
            ]
        )
    }
    return Shop(plant, area, stations, now=now)


def every_state(now: datetime = NOW) -> Shop:
    """A loop in each state, with enough history for rates where a state needs one."""
    shop = make_shop(now)

    out = shop.loop("L-OUT", "PCB-A-PASTED", "PASTE", "REFLOW", description="Motor control, pasted")
    dry = shop.turn(shop.card(out, 1, "EMPTY"), minutes_ago=95, due_in=-12)
    shop.turn(shop.card(out, 2, "EMPTY"), minutes_ago=50, due_in=30)
    shop.history(out, every=60, taken=50, newest=110)
    shop.runout(out, minutes_ago=12)

    act = shop.loop("L-ACT", "PCB-A-SOLDERED", "REFLOW", "TEST", description="Motor control, soldered")
    shop.card(act, 1, "IN_USE", contents=3)
    shop.turn(
        shop.card(act, 2, "IN_PROCESS"),
        minutes_ago=20,
        due_in=80,
        step="IN_PROCESS",
        demand_cancelled=dry.uuid,
    )
    shop.history(act, every=60, taken=70, newest=45)

    late = shop.loop(
        "L-LATE", "CAP-100N", "ACME-DOCK", "PASTE", description="Capacitor 100 nF", kind="SUPPLIER"
    )
    for number in (1, 2, 3):
        shop.card(late, number, "FULL")
    shop.turn(
        shop.card(late, 4, "IN_TRANSIT"),
        minutes_ago=400,
        due_in=-25,
        step="IN_TRANSIT",
        owner="handler",
        promised_at=now + timedelta(days=20),
    )

    move = shop.loop("L-MOVE", "PCB-B-TESTED", "TEST", "SHIP", description="Sensor board, tested")
    shop.card(move, 1, "FULL")
    shop.turn(shop.card(move, 2, "COMPLETED"), minutes_ago=50, due_in=60, step="COMPLETED", owner="handler")

    ok = shop.loop("L-OK", "PCB-C-TESTED", "TEST", "SHIP", description="Power board, tested")
    shop.card(ok, 1, "FULL")
    shop.card(ok, 2, "FULL")

    held = shop.loop(
        "L-HELD", "CONN-8", "ACME-DOCK", "TEST", status="ON_HOLD", hold_reason="pins bent, lot 4711"
    )
    shop.card(held, 1, "FULL")
    shop.card(held, 2, "EMPTY")
    return shop


def with_many_cards(now: datetime, count: int) -> Shop:
    """`every_state`, a loop L-MANY whose cards are all full, and somebody to scan them."""
    shop = every_state(now)
    loop = shop.loop("L-MANY", "PCB-MANY", "TEST", "SHIP")
    for number in range(1, count + 1):
        shop.card(loop, number, "FULL")
    a_person(shop)
    return shop


def a_person(shop: Shop, *, roles: tuple[str, ...] = ("operator",), username: str = "mia") -> Person:
    """Somebody who may log in with the password "scan-the-card" and belongs to the plant."""
    person = Person.objects.create_user(username, password="scan-the-card", name=username.title())
    for role in roles:
        Membership.objects.create(person=person, plant=shop.plant, role=role)
    return person


def second_area(shop: Shop) -> Area:
    """An area with one loop that has run out."""
    area = Area.objects.create(plant=shop.plant, code="PACK", name="Packing")
    shop.stations["PACK"] = Station.objects.create(
        plant=shop.plant, area=area, code="PACK", name="Packing", kind="PROCESS", position=9
    )
    loop = shop.loop("L-PACK", "BOX-40", "SHIP", "PACK", description="Carton 40")
    shop.turn(shop.card(loop, 1, "EMPTY"), minutes_ago=40, due_in=5)
    shop.runout(loop, minutes_ago=3)
    return area


def leader_of(shop: Shop) -> Source:
    """What Lea does, who leads the plant."""
    person, _ = Person.objects.get_or_create(username="lea", defaults={"name": "Lea"})
    Membership.objects.get_or_create(person=person, plant=shop.plant, role=Role.LEADER)
    return Source(
        person_id=person.pk,
        plant_ids=frozenset({shop.plant.pk}),
        roles={shop.plant.pk: frozenset({Role.LEADER})},
    )
