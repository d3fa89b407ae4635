"""What the floor holds of a loop: asked before master data is changed in a way that could contradict it.

This room knows no cards. Whoever does implements `Holdings` and names itself with `use` once the tables are loaded.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from jitapp.kanban.vocabulary import SignalState, SupplyStatus

# A turn in one of these states has not gone upstream yet.
_NOT_OUT = frozenset({SignalState.UNRELEASED, SignalState.ACCUMULATING, SignalState.PENDING_DOC})


@dataclass(frozen=True, slots=True)
class TurnHeld:
    """An open turn. `quantities` are those it stores: asked, made, received, in the part's unit."""

    signal_state: SignalState
    step: str
    document: str
    quantities: tuple[Decimal, ...]

    @property
    def released(self) -> bool:
        """Whether its signal has gone upstream."""
        return self.signal_state not in _NOT_OUT


@dataclass(frozen=True, slots=True)
class CardHeld:
    """A card that is not removed; `contents` and `booked` are pieces in its container at the demand source."""

    code: str
    circulating: bool
    status: SupplyStatus
    quantity: Decimal
    contents: Decimal
    booked: Decimal
    turn: TurnHeld | None = None

    @property
    def places(self) -> frozenset[str]:
        """The statuses in which the card or its open turn stands."""
        return frozenset({str(self.status), *([self.turn.step] if self.turn and self.turn.step else [])})


class Holdings(Protocol):
    """The floor as master data sees it."""

    def counts(self, loop_ids: Collection[int]) -> Mapping[int, int]:
        """How many cards that are not removed each loop has; loops without cards are left out."""

    def sizes(self, loop_ids: Collection[int]) -> Mapping[int, int]:
        """How many cards each loop is to have, as changing its number counts them: without cards that are too many
        and cards for a few turns. Loops without cards are left out."""

    def cards(self, loop_ids: Collection[int]) -> Mapping[int, Sequence[CardHeld]]:
        """The cards of each loop that are not removed, by number; loops without cards are left out.

        Inside a transaction: the loops are locked, so that what is returned stays true until its end.
        """

    def booked(self, part_ids: Collection[int]) -> Mapping[int, frozenset[str]]:
        """For each part that is made, the numbers of the components that its open turns have booked.

        Inside a transaction: the loops that bring these parts are locked.
        """


class NothingHeld:
    """A plant without a floor."""

    def counts(self, _loop_ids: Collection[int]) -> Mapping[int, int]:
        """No loop has a card."""
        return {}

    def sizes(self, _loop_ids: Collection[int]) -> Mapping[int, int]:
        """No loop has a card."""
        return {}

    def cards(self, _loop_ids: Collection[int]) -> Mapping[int, Sequence[CardHeld]]:
        """No loop has a card."""
        return {}

    def booked(self, _part_ids: Collection[int]) -> Mapping[int, frozenset[str]]:
        """No turn is open."""
        return {}


class _Named:
    floor: Holdings = NothingHeld()


def use(holdings: Holdings) -> None:
    """Names the floor that changes of master data are held against, for this process."""
    _Named.floor = holdings


def the_floor() -> Holdings:
    """The floor of this process."""
    return _Named.floor
