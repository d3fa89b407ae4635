"""Settings of a loop that cannot change while its cards stand where only the old setting leads on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from jitapp.kanban.stated import Stated, members, stated, stated_of
from jitapp.kanban.vocabulary import (
    Accumulate,
    ConsumeAt,
    Consumption,
    DocPolicy,
    Need,
    SignalState,
    SupplyStatus,
    Trigger,
)
from jitapp.plant.holdings import CardHeld
from jitapp.plant.masters.wrong import named
from jitapp.plant.models import Loop

WATCHED = frozenset(
    {"supply", "sequence", "doc_policy", "accumulate", "independent_supply", "trigger", "consume_at"}
)
_BY_SIBLING = (Trigger.ON_SIBLING_IN_USE, Trigger.ON_SIBLING_WAIT)
Cards = Sequence[CardHeld]


def refusals_of(before: Loop, after: Loop, cards: Cards) -> Iterator[Stated]:
    """One sentence for each change that what stands on the floor does not allow."""
    for rule in _RULES:
        if said := rule(before, after, cards):
            yield said


def _in_state(cards: Cards, state: SignalState) -> list[str]:
    return [card.code for card in cards if card.turn is not None and card.turn.signal_state is state]


def _other_supply(before: Loop, after: Loop, cards: Cards) -> Stated | None:
    turns = [card.code for card in cards if card.turn is not None]
    if after.supply_id == before.supply_id or not turns:
        return None
    return stated_of(
        len(turns),
        "{supply} was asked for {n} refill of loop {loop} ({cards}). Finish or cancel them first, then let {other}"
        " supply it.",
        "{supply} was asked for {n} refills of loop {loop} ({cards}). Finish or cancel them first, then let {other}"
        " supply it.",
        supply=before.supply.code,
        loop=after.code,
        cards=named(turns),
        other=after.supply.code,
    )


def _prohibited(before: Loop, after: Loop, cards: Cards) -> Stated | None:
    for status, need in after.sequence.items():
        there = [card.code for card in cards if status in card.places]
        if need == Need.PROHIBITED and before.sequence.get(status) != Need.PROHIBITED and there:
            return stated_of(
                len(there),
                "{cards} of loop {loop} is {status}. Move them on first, then prohibit {status}.",
                "{cards} of loop {loop} are {status}. Move them on first, then prohibit {status}.",
                cards=named(there),
                loop=after.code,
                status=SupplyStatus(status),
            )
    return None


def _documents(before: Loop, after: Loop, cards: Cards) -> Stated | None:
    waiting = _in_state(cards, SignalState.PENDING_DOC)
    waited = before.doc_policy == DocPolicy.WAIT_FOR_DOC_NUMBER != after.doc_policy
    if not waited or not waiting:
        return None
    return stated(
        "{cards} of loop {loop} wait for a document and would wait for ever."
        " Give them their numbers or cancel their turns first, then change {member}.",
        cards=named(waiting),
        loop=after.code,
        member=members(["doc_policy"]),
    )


def _gathered(before: Loop, after: Loop, cards: Cards) -> Stated | None:
    gathered = _in_state(cards, SignalState.ACCUMULATING)
    if not before.accumulate != Accumulate.NONE == after.accumulate or not gathered:
        return None
    return stated_of(
        len(gathered),
        "Loop {loop} is gathering {n} signal ({cards}) that would never go out."
        " Wait until the batch has gone, then change {member}.",
        "Loop {loop} is gathering {n} signals ({cards}) that would never go out."
        " Wait until the batch has gone, then change {member}.",
        loop=after.code,
        cards=named(gathered),
        member=members(["accumulate"]),
    )


def _waiting(before: Loop, after: Loop, cards: Cards) -> Stated | None:
    waiting = [card.code for card in cards if card.status is SupplyStatus.WAIT]
    if not _waits_by_rule(before) or _waits_by_rule(after) or not waiting:
        return None
    return stated(
        "{cards} of loop {loop} wait to be released, and nothing would release them."
        " Release them first, then change the loop.",
        cards=named(waiting),
        loop=after.code,
    )


def _waits_by_rule(loop: Loop) -> bool:
    return loop.independent_supply or loop.trigger in _BY_SIBLING


def _asking_nothing(before: Loop, after: Loop, cards: Cards) -> Stated | None:
    silent = [
        card.code
        for card in cards
        if card.circulating and card.status is SupplyStatus.EMPTY and card.turn is None
    ]
    if not before.trigger == Trigger.ON_QTY != after.trigger or not silent:
        return None
    return stated_of(
        len(silent),
        "{cards} of loop {loop} is empty and ask for nothing: there the stock asks."
        " Fill or remove them first, then change the trigger.",
        "{cards} of loop {loop} are empty and ask for nothing: there the stock asks."
        " Fill or remove them first, then change the trigger.",
        cards=named(silent),
        loop=after.code,
    )


def _other_consumption(before: Loop, after: Loop, cards: Cards) -> Stated | None:
    begun = [card.code for card in cards if card.turn is not None and card.turn.released]
    if (
        after.consume_at == before.consume_at
        or after.supply.consumption != Consumption.BACKFLUSH
        or not begun
    ):
        return None
    return stated_of(
        len(begun),
        "{cards} of loop {loop} has open turns whose components are drawn at {moment}."
        " Finish or cancel them first, then change {member}.",
        "{cards} of loop {loop} have open turns whose components are drawn at {moment}."
        " Finish or cancel them first, then change {member}.",
        cards=named(begun),
        loop=after.code,
        moment=ConsumeAt(before.consume_at),
        member=members(["consume_at"]),
    )


_RULES: tuple[Callable[[Loop, Loop, Cards], Stated | None], ...] = (
    _other_supply,
    _prohibited,
    _documents,
    _gathered,
    _waiting,
    _asking_nothing,
    _other_consumption,
)
