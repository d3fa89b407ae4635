"""The kinds of kanban, one value each: what a kind does differently from a plain container that is filled and used.

Everything else about a loop is a setting of its own (`LoopConfig`). A new kind is a word in `vocabulary.LoopKind`, a
value here and its cells in the tests.
"""

from __future__ import annotations

from dataclasses import dataclass

from jitapp.kanban.state import LoopConfig
from jitapp.kanban.vocabulary import LoopKind, StationKind


@dataclass(frozen=True, slots=True)
class Kind:
    """What the rules ask of a kind.

    `opened`: containers are opened before they are empty, also those of a single piece. `fetches`: its cards fetch
    full containers from a supermarket, where each takes the place of a production card (the swap, 4.3). `ordered`: its
    cards are single orders, asked for at every tier at once; between orders it holds nothing. `says` is one sentence
    for the documentation.
    """

    kind: LoopKind
    says: str
    opened: bool = False
    fetches: bool = False
    ordered: bool = False


_ALL = (
    Kind(LoopKind.TWO_BIN, "Two or more bins between two stations; the empty bin asks.", opened=True),
    Kind(LoopKind.PRODUCTION, "The card authorises a process to make one container."),
    Kind(LoopKind.WITHDRAWAL, "The card fetches a full container from a supermarket.", fetches=True),
    Kind(LoopKind.SUPPLIER, "The card orders one container from a supplier."),
    Kind(LoopKind.TRANSFER, "The card asks a station of another plant for one container."),
    Kind(LoopKind.EVENT, "An order in its own quantity, asked for at every tier at once.", ordered=True),
)
KINDS: dict[LoopKind, Kind] = {kind.kind: kind for kind in _ALL}


def used_in_pieces(config: LoopConfig) -> bool:
    """Whether containers are opened before they are empty; one of a single piece is full or empty."""
    return KINDS[config.kind].opened or config.quantity > 1


def detached_by_hand(config: LoopConfig) -> bool:
    """Whether somebody takes the production card off the container that a card of this loop fetches (the swap scan)."""
    return (
        KINDS[config.kind].fetches
        and config.supply_kind is StationKind.SUPERMARKET
        and not config.auto_detach
    )
