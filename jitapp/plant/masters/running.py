"""Settings of a loop that cannot change while its cards stand where only the old setting leads on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from jitapp.kanban.vocabulary import (
    Accumulate,
    Consumption,
    DocPolicy,
    Need,
    SignalState,
    SupplyStatus,
    Trigger,
)
from jitapp.plant.holdings import CardHeld
from jitapp.plant.masters.wrong import counted, named
from jitapp.plant.models import Loop

WATCHED = frozenset(
    {"supply", "sequence", "doc_policy", "accumulate", "independent_supply", "trigger", "consume_at"}
)
_BY_SIBLING = (Trigger.ON_SIBLING_IN_USE, Trigger.ON_SIBLING_WAIT)
Cards = Sequence[CardHeld]


def refusals_of(before: Loop, after: Loop, cards: Cards) -> Iterator[str]:
    """One sentence for each change that what stands on the floor does not allow."""
    for rule in _RULES:
        if sentence := rule(before, after, cards):
            yield sentence


def _in_state(cards: Cards, state: SignalState) -> list[str]:
    return [card.code for card in cards if card.turn is not None and card.turn.signal_state is state]


def _other_supply(before: Loop, after: Loop, cards: Cards) -> str:
    turns = [card.code for card in cards if card.turn is not None]
    if after.supply_id == before.supply_id or not turns:
        return ""
    return (
        f"{before.supply.code} was asked for {counted(len(turns), 'refill', 'refills')} of loop {after.code}"
        f" ({named(turns)}). Finish or cancel them first, then let {after.supply.code} supply it."
    )


def _prohibited(before: Loop, after: Loop, cards: Cards) -> str:
    for status, need in after.sequence.items():
        there = [card.code for card in cards if status in card.places]
        if need == Need.PROHIBITED and before.sequence.get(status) != Need.PROHIBITED and there:
            return (
                f"{named(there)} of loop {after.code} {'is' if len(there) == 1 else 'are'} {status}."
                f" Move them on first, then prohibit {status}."
            )
    return ""


def _documents(before: Loop, after: Loop, cards: Cards) -> str:
    waiting = _in_state(cards, SignalState.PENDING_DOC)
    waited = before.doc_policy == DocPolicy.WAIT_FOR_DOC_NUMBER != after.doc_policy
    if not waited or not waiting:
        return ""
    return (
        f"{named(waiting)} of loop {after.code} wait for a document and would wait for ever."
        " Give them their numbers or cancel their turns first, then change doc_policy."
    )


def _gathered(before: Loop, after: Loop, cards: Cards) -> str:
    gathered = _in_state(cards, SignalState.ACCUMULATING)
    if not before.accumulate != Accumulate.NONE == after.accumulate or not gathered:
        return ""
    return (
        f"Loop {after.code} is gathering {counted(len(gathered), 'signal', 'signals')} ({named(gathered)}) that would"
        " never go out. Wait until the batch has gone, then change accumulate."
    )


def _waiting(before: Loop, after: Loop, cards: Cards) -> str:
    waiting = [card.code for card in cards if card.status is SupplyStatus.WAIT]
    if not _waits_by_rule(before) or _waits_by_rule(after) or not waiting:
        return ""
    return (
        f"{named(waiting)} of loop {after.code} wait to be released, and nothing would release them."
        " Release them first, then change the loop."
    )


def _waits_by_rule(loop: Loop) -> bool:
    return loop.independent_supply or loop.trigger in _BY_SIBLING


def _asking_nothing(before: Loop, after: Loop, cards: Cards) -> str:
    silent = [
        card.code
        for card in cards
        if card.circulating and card.status is SupplyStatus.EMPTY and card.turn is None
    ]
    if not before.trigger == Trigger.ON_QTY != after.trigger or not silent:
        return ""
    return (
        f"{named(silent)} of loop {after.code} {'is' if len(silent) == 1 else 'are'} empty and ask for nothing: there"
        " the stock asks. Fill or remove them first, then change the trigger."
    )


def _other_consumption(before: Loop, after: Loop, cards: Cards) -> str:
    begun = [card.code for card in cards if card.turn is not None and card.turn.released]
    if (
        after.consume_at == before.consume_at
        or after.supply.consumption != Consumption.BACKFLUSH
        or not begun
    ):
        return ""
    return (
        f"{named(begun)} of loop {after.code} {'has' if len(begun) == 1 else 'have'} open turns whose components are"
        f" drawn at {before.consume_at}. Finish or cancel them first, then change consume_at."
    )


_RULES: tuple[Callable[[Loop, Loop, Cards], str], ...] = (
    _other_supply,
    _prohibited,
    _documents,
    _gathered,
    _waiting,
    _asking_nothing,
    _other_consumption,
)
