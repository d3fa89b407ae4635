"""An area with very many loops, written straight into the tables."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from django.db import connection

from jitapp.kanban.standing import UNDER_WAY, WAITING
from jitapp.kanban.vocabulary import Party, SignalState
from jitapp.plant.models import Identifier, Loop, Part, Station
from jitapp.pull.models import Card, LoopState, Runout, Turn
from jitapp.symbology.cardcode import make_code
from tests.web.shop import Shop, make_shop

HISTORY = 8  # closed turns of every loop
STATIONS = 200


def crowd(loops: int, now: datetime, *, cards: int = 5, busy: int = 5, dry: int = 100) -> Shop:
    """An area SMT of so many loops with so many cards each; every `busy`-th has two cards under way, every `dry`-th
    nothing left."""
    shop = make_shop(now)
    codes = range(max(2, min(STATIONS, loops // 10)))
    users = Station.objects.bulk_create(
        Station(plant=shop.plant, area=shop.area, code=f"USE{n:03}", name=f"Use {n}", kind="PROCESS")
        for n in codes
    )
    makers = Station.objects.bulk_create(
        Station(plant=shop.plant, area=shop.area, code=f"MAKE{n:03}", name=f"Make {n}", kind="PROCESS")
        for n in codes
    )
    parts = Part.objects.bulk_create(
        Part(plant=shop.plant, number=f"PART-{n:05}", description=f"Part {n}") for n in range(loops)
    )
    made = Loop.objects.bulk_create(
        Loop(
            plant=shop.plant,
            code=f"LOOP-{n:05}",
            part=part,
            supply=makers[n % len(makers)],
            demand=users[n * 7 % len(users)],
            kind="PRODUCTION",
            quantity=Decimal(12),
        )
        for n, part in enumerate(parts)
    )
    _fill(made, now, cards, busy, dry)
    shop.loops = {loop.code: loop for loop in made}
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return shop


def _fill(loops: list[Loop], now: datetime, each: int, busy: int, dry: int) -> None:
    began = now - timedelta(hours=2)
    LoopState.objects.bulk_create(LoopState(loop=loop, seq=20, been_full=True) for loop in loops)
    cards: list[Card] = []
    for n, loop in enumerate(loops):
        gone = each if n % dry == 0 else 2 if n % busy == 0 else 0
        for number in range(1, each + 1):
            full = number > gone
            cards.append(
                Card(
                    loop=loop,
                    code=make_code(8_000_000_000 + n * 64 + number),
                    number=number,
                    card_status="IN_CIRCULATION",
                    supply_status="FULL" if full else "EMPTY",
                    quantity=loop.quantity,
                    contents=loop.quantity if full else Decimal(0),
                    moved_at=began,
                )
            )
    Card.objects.bulk_create(cards, batch_size=5_000)
    Identifier.objects.bulk_create(
        (Identifier(code=card.code, kind="card", target_id=card.pk) for card in cards), batch_size=5_000
    )
    Turn.objects.bulk_create(
        (_open(card, began, now) for card in cards if not card.contents), batch_size=5_000
    )
    Turn.objects.bulk_create(
        (_closed(card, k, now) for card in cards if card.number == 1 for k in range(HISTORY)),
        batch_size=5_000,
    )
    Runout.objects.bulk_create(
        Runout(loop=loop, opened_at=began, opened_seq=5, cause="queue", owner="station")
        for n, loop in enumerate(loops)
        if n % dry == 0
    )


def _open(card: Card, at: datetime, now: datetime) -> Turn:
    standing = UNDER_WAY["IN_PROCESS"][0] if card.number == 1 else WAITING[SignalState.RELEASED][0]
    return Turn(
        card=card,
        loop=card.loop,
        supply=card.loop.supply,
        number=90,
        standing=standing,
        stretches=[[standing, Party.STATION, at.isoformat(), 9]],
        signal_state="RELEASED",
        step="IN_PROCESS" if card.number == 1 else "",
        started_at=at if card.number == 1 else None,
        asked=card.quantity,
        opened_at=at,
        released_at=at,
        due_at=now + timedelta(minutes=card.loop_id % 240 - 20),
        owner="station",
        owner_since=at,
    )


def _closed(card: Card, k: int, now: datetime) -> Turn:
    opened = now - timedelta(minutes=150 + 60 * k)
    return Turn(
        card=card,
        loop=card.loop,
        supply=card.loop.supply,
        number=80 - k,
        signal_state="CLOSED",
        asked=card.quantity,
        received=card.quantity,
        opened_at=opened,
        released_at=opened,
        closed_at=opened + timedelta(minutes=70),
        owner="",
    )
