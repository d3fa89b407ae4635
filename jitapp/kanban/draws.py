"""What a turn takes from the containers of its components, and what it books (domain 4.5, BACKFLUSH).

Every function writes onto the component's loop through a `Ledger`; the caller settles the runout and stores the links.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from jitapp.kanban.ledger import Ledger
from jitapp.kanban.signals import below, opened, release, signal
from jitapp.kanban.state import ZERO, Card, Loop, LoopConfig, text
from jitapp.kanban.vocabulary import (
    Accumulate,
    ConsumeAt,
    Consumption,
    DocPolicy,
    LoopKind,
    LoopStatus,
    StationKind,
    SupplyStatus,
    Trigger,
)

# Which of a turn's events makes its station use components, by the loop's setting.
USES = {
    ConsumeAt.START: "turn.started",
    ConsumeAt.COMPLETE: "turn.completed",
    ConsumeAt.RELEASE: "turn.started",
}


@dataclass(frozen=True, slots=True)
class Link:
    """An edge of the pull chain as the draw made it: pieces out of a container, by its card and refilling turn."""

    card_id: int
    number: int
    quantity: Decimal
    booked: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Drawn:
    """What one component loop gave: links, and the pieces that no container had (a shortage, never an error)."""

    links: tuple[Link, ...]
    taken: Decimal
    short: Decimal


def counted(config: LoopConfig) -> bool:
    """Whether software counts what filling uses: a BACKFLUSH station by its bill, a supermarket its own part."""
    by_hand = config.kind is LoopKind.WITHDRAWAL and not config.auto_detach  # the swap scan detaches the card
    return (config.supply_kind is StationKind.SUPERMARKET and not by_hand) or (
        config.supply_kind is StationKind.PROCESS and config.supply_consumption is Consumption.BACKFLUSH
    )


def rounded(quantity: Decimal, decimals: int) -> Decimal:
    """A needed quantity in the component's unit: rounded up after the explosion, never before."""
    step = Decimal(1).scaleb(-decimals)
    whole = (quantity / step).to_integral_value(rounding="ROUND_CEILING")
    return whole * step


def containers(ledger: Ledger) -> list[Card]:
    """Where pieces are taken: the container IN_USE first, then the longest-FULL."""
    usable = [card for card in ledger.loop.cards.values() if card.usable]
    return sorted(
        usable,
        key=lambda card: (
            card.supply_status is not SupplyStatus.IN_USE,
            card.full_since or ledger.at,
            card.number,
        ),
    )


def draw(ledger: Ledger, *, need: Decimal, turn: UUID, new_uuid: Callable[[], UUID]) -> Drawn:
    """Takes `need` free pieces; an emptied container opens its own turn, and so on upstream."""
    links: list[Link] = []
    rest = need
    for card in containers(ledger):
        if not rest:
            break
        take = min(card.free, rest)
        if take <= 0:
            continue
        links.append(Link(card.id, card.container, take))
        _take(ledger, card, take, unbooked=ZERO, turn=turn, new_uuid=new_uuid)
        rest -= take
    if rest:
        ledger.write("draw.short", by_turn=str(turn), needed=text(need), short=text(rest))
    return Drawn(tuple(links), need - rest, rest)


def book(ledger: Ledger, *, need: Decimal, turn: UUID, new_uuid: Callable[[], UUID]) -> Drawn:
    """Promises `need` pieces; a container with nothing free left asks for its refill while still IN_USE."""
    links: list[Link] = []
    rest = need
    for card in containers(ledger):
        if not rest:
            break
        take = min(card.free, rest)
        if take <= 0:
            continue
        _open(ledger, card, new_uuid)
        links.append(Link(card.id, card.container, take, booked=take))
        ledger.write("card.booked", card, quantity=text(take), by_turn=str(turn))
        below(ledger, new_uuid)
        if not card.free and card.turn is None and _asks_early(ledger.loop):
            release(ledger, card, new_uuid())
        rest -= take
    if rest:
        ledger.write("draw.short", by_turn=str(turn), needed=text(need), short=text(rest))
    return Drawn(tuple(links), need - rest, rest)


def take_booked(
    ledger: Ledger, *, links: Iterable[Link], turn: UUID, new_uuid: Callable[[], UUID]
) -> tuple[Decimal, list[Link]]:
    """Takes out what was promised to the turn; answers the pieces taken and the links now fulfilled.

    A container that was emptied or refilled meanwhile (a count by hand) no longer holds them: those are left.
    """
    taken = ZERO
    fulfilled: list[Link] = []
    for link in links:
        card = ledger.loop.cards.get(link.card_id)
        if card is None or not card.usable or card.container != link.number:
            continue
        take = min(link.booked, card.booked)
        if take <= 0:
            continue
        _take(ledger, card, take, unbooked=take, turn=turn, new_uuid=new_uuid)
        fulfilled.append(link)
        taken += take
    return taken, fulfilled


def free(ledger: Ledger, *, links: Iterable[Link], turn: UUID) -> list[Card]:
    """Frees the promises of a cancelled turn, and cancels what they had released if nobody upstream has acted.

    Answers the cards whose turn goes on because somebody acted: they are reported.
    """
    acted: list[Card] = []
    for link in links:
        card = ledger.loop.cards.get(link.card_id)
        if card is None or not card.usable or card.container != link.number:
            continue
        give = min(link.booked, card.booked)
        if give <= 0:
            continue
        ledger.write("card.unbooked", card, quantity=text(give), by_turn=str(turn))
        if card.turn is None or not card.free:
            continue
        if card.turn.step or card.turn.signal_state != "RELEASED":
            acted.append(card)
        else:
            ledger.write(
                "turn.cancelled", card, turn=card.turn, reason="the demand was cancelled", by_turn=str(turn)
            )
    return acted


def _asks_early(loop: Loop) -> bool:
    """Whether a booked-out container may ask before it is empty: not where signals are gathered, counted or held."""
    config = loop.config
    return (
        config.status is LoopStatus.ACTIVE
        and config.accumulate is Accumulate.NONE
        and config.doc_policy is not DocPolicy.WAIT_FOR_DOC_NUMBER
        and config.trigger in (Trigger.ON_EMPTY, Trigger.ON_IN_USE)
        and not config.independent_supply
        and not loop.surplus_due
    )


def _open(ledger: Ledger, card: Card, new_uuid: Callable[[], UUID]) -> None:
    if card.supply_status is SupplyStatus.FULL:
        ledger.write("card.opened", card, frm=SupplyStatus.FULL, to=SupplyStatus.IN_USE)
        opened(ledger, card, new_uuid)


def _take(
    ledger: Ledger, card: Card, take: Decimal, *, unbooked: Decimal, turn: UUID, new_uuid: Callable[[], UUID]
) -> None:
    _open(ledger, card, new_uuid)
    ledger.write(
        "card.drawn",
        card,
        quantity=text(take),
        by_turn=str(turn),
        container=card.container,
        more={"unbooked": text(unbooked)} if unbooked else None,
    )
    if card.contents:
        below(ledger, new_uuid)
        return
    ledger.write(
        "card.emptied", card, frm=SupplyStatus.IN_USE, to=card.position if card.turn else SupplyStatus.EMPTY
    )
    signal(ledger, card, new_uuid)
