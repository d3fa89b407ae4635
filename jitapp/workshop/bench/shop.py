"""The synthetic shop of the benchmarks: 20,000 cards in 2,000 loops, and chains for the cascades.

Run as a program of its own, because it needs Django and the benchmark's driver does not; prints what the load needs
to know as one JSON object. Everything is written as the first load of a shop would write it, ledger and all, so that
`verify` has nothing to complain about afterwards.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import django

django.setup()

from django.db import connection, transaction  # noqa: E402  (models need a set-up Django)

from jitapp.accounts.models import Device, new_token, token_hash  # noqa: E402
from jitapp.plant.models import (  # noqa: E402
    Area,
    BillOfMaterials,
    Calendar,
    Identifier,
    Loop,
    Part,
    Placement,
    Plant,
    Station,
)
from jitapp.pull.models import Card, Event, LoopState  # noqa: E402
from jitapp.symbology.cardcode import make_code  # noqa: E402

STATIONS = 200  # makers, and as many users
LOOPS = 2_000
CARDS_PER_LOOP = 10
QUANTITY = Decimal(12)
CHAINS = 40
CARDS_PER_LINK = 6
LEVELS = 6  # hops of a cascade after the scan's own turn
DAYS = ["mon", "tue", "wed", "thu", "fri"]


@dataclass(frozen=True, slots=True)
class Kept:
    """A loop with the codes of its cards, as the load wants it."""

    loop: Loop
    codes: list[str]


def build() -> dict[str, object]:
    """Makes everything in one transaction."""
    with transaction.atomic():
        plant = Plant.objects.create(code="BENCH", name="Bench", time_zone="Europe/Berlin")
        Calendar.objects.create(
            plant=plant,
            code="TWO-SHIFTS",
            is_default=True,
            shifts=[
                {"days": DAYS, "start": "06:00", "end": "14:00"},
                {"days": DAYS, "start": "14:00", "end": "22:00"},
            ],
        )
        area = Area.objects.create(plant=plant, code="BENCH-HALL", name="Hall")
        token = new_token()
        device = Device.objects.create(name="bench", kind="scanner", token_hash=token_hash(token))
        Placement.objects.create(device=device, plant=plant)
        loops = _flat(plant, area)
        chains = _chains(plant)
        kept = _fill(loops, CARDS_PER_LOOP)
        links = _fill([loop for chain in chains for loop in chain], CARDS_PER_LINK)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    rows = [[[code, each.loop.demand.code, each.loop.supply.code] for code in each.codes] for each in kept]
    by_loop = {each.loop.pk: each for each in links}
    return {
        "token": token,
        "area": area.code,
        "loops": rows,
        "chains": [
            {
                "cards": by_loop[chain[0].pk].codes,
                "demand": chain[0].demand.code,
                "loops": [loop.pk for loop in chain],
            }
            for chain in chains
        ],
    }


def _flat(plant: Plant, area: Area) -> list[Loop]:
    """Many loops that have nothing to do with each other: their stations scan what they use."""

    def stations(kind: str) -> list[Station]:
        return Station.objects.bulk_create(
            Station(
                plant=plant, area=area, code=f"{kind}{number:03}", name=f"{kind} {number}", kind="PROCESS"
            )
            for number in range(STATIONS)
        )

    makers, users = stations("MAKE"), stations("USE")
    parts = Part.objects.bulk_create(
        Part(plant=plant, number=f"PART-{number:04}", description=f"Part {number}") for number in range(LOOPS)
    )
    return Loop.objects.bulk_create(
        Loop(
            plant=plant,
            code=f"LOOP-{number:04}",
            part=part,
            supply=makers[number % STATIONS],
            demand=users[(number * 7) % STATIONS],
            kind="PRODUCTION",
            quantity=QUANTITY,
        )
        for number, part in enumerate(parts)
    )


def _chains(plant: Plant) -> list[list[Loop]]:
    """Chains of bins of one piece: what the first level is asked for reaches the last by bookings alone."""
    chains: list[list[Loop]] = []
    for number in range(CHAINS):
        area = Area.objects.create(plant=plant, code=f"CHAIN-{number:02}", name=f"Chain {number}")
        stations = Station.objects.bulk_create(
            Station(
                plant=plant,
                area=area,
                code=f"C{number:02}-{level}",
                name=f"Chain {number} level {level}",
                kind="SHIPPING" if level == 0 else "PROCESS",
                consumption="BACKFLUSH",
            )
            for level in range(LEVELS + 2)
        )
        parts = Part.objects.bulk_create(
            Part(plant=plant, number=f"C{number:02}-PART-{level}") for level in range(LEVELS + 1)
        )
        BillOfMaterials.objects.bulk_create(
            BillOfMaterials(parent=parent, component=component, quantity=Decimal(1))
            for parent, component in pairwise(parts)
        )
        chains.append(
            Loop.objects.bulk_create(
                Loop(
                    plant=plant,
                    code=f"C{number:02}-LOOP-{level}",
                    part=part,
                    demand=stations[level],
                    supply=stations[level + 1],
                    kind="PRODUCTION",
                    quantity=Decimal(1),
                    consume_at="RELEASE",
                )
                for level, part in enumerate(parts)
            )
        )
    return chains


_numbers = iter(range(1, 10_000_000))


def _fill(loops: list[Loop], each: int) -> list[Kept]:
    """Full cards for every loop, with the events of a first load an hour ago."""
    at = datetime.now(UTC) - timedelta(hours=1)
    cards = Card.objects.bulk_create(
        Card(
            loop=loop,
            code=make_code(next(_numbers)),
            number=number,
            card_status="IN_CIRCULATION",
            supply_status="FULL",
            quantity=loop.quantity,
            contents=loop.quantity,
            full_since=at,
            status_since=at,
            moved_at=at,
        )
        for loop in loops
        for number in range(1, each + 1)
    )
    Identifier.objects.bulk_create(
        Identifier(code=card.code, kind="card", target_id=card.pk) for card in cards
    )
    LoopState.objects.bulk_create(
        LoopState(loop=loop, seq=2 * each, been_full=True, usable_changed_at=at) for loop in loops
    )
    Event.objects.bulk_create(
        (event for card in cards for event in _first_events(card, at)), batch_size=5_000
    )
    codes: dict[int, list[str]] = {}
    for card in cards:
        codes.setdefault(card.loop_id, []).append(card.code)
    return [Kept(loop, codes[loop.pk]) for loop in loops]


def _first_events(card: Card, at: datetime) -> list[Event]:
    quantity = format(card.quantity.normalize(), "f")
    common = {
        "plant_id": card.loop.plant_id,
        "loop_id": card.loop_id,
        "card": card,
        "occurred_at": at,
        "recorded_at": at,
    }
    return [
        Event(
            type="card.added",
            loop_seq=2 * card.number - 1,
            data={"code": card.code, "number": card.number, "quantity": quantity},
            **common,
        ),
        Event(
            type="card.activated",
            loop_seq=2 * card.number,
            from_status="EMPTY",
            to_status="FULL",
            data={"contents": quantity},
            **common,
        ),
    ]


if __name__ == "__main__":
    sys.stdout.write(json.dumps(build()))
