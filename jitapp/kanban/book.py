"""All event types together, and the codec between events and their JSON.

The ledger stores entries; folding them in `loop_seq` order (fold.py) gives the present state back (rule C11). The feed,
the outbox, the verification and the documentation read the same types.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Union

import msgspec
from msgspec.structs import fields

from jitapp.kanban.events import calls, cards, loops, stations, turns
from jitapp.kanban.events.base import Event, subclasses
from jitapp.kanban.events.scans import ScanApplied
from jitapp.kanban.steps.all import STEPS

# Imported for the types they define; STEPS has those of scans.
_DEFINE = (cards, turns, loops, stations, calls, STEPS)
# Every type of the ledger; a scan's several types share one name.
TYPES: dict[str, tuple[type[Event], ...]] = {}
for _type in subclasses(Event):
    if _type.type and _type is not ScanApplied:
        TYPES[_type.type] = (*TYPES.get(_type.type, ()), _type)

encode_event = msgspec.json.Encoder(decimal_format="string").encode


def _decoder(types: tuple[type[Event], ...]) -> Callable[[str | bytes], Event]:
    return msgspec.json.Decoder(Union[types] if len(types) > 1 else types[0]).decode  # noqa: UP007


_DECODERS = {name: _decoder(types) for name, types in TYPES.items()}


def decode_event(type_: str, data: str | bytes) -> Event:
    """An event from its type and its JSON. Raises KeyError for an unknown type, msgspec.ValidationError for data that
    it does not have."""
    return _DECODERS[type_](data)


def sentence_of(type_: str) -> str:
    """What a type means, for readers of the feed."""
    types = TYPES[type_]
    described = ScanApplied if len(types) > 1 else types[0]
    return " ".join((described.__doc__ or "").split())


EVENT_TYPES: dict[str, str] = {name: sentence_of(name) for name in sorted(TYPES)}


def members_of(type_: str) -> list[str]:
    """The members of a type's `data`, in their order; for a scan those of all its intents."""
    found: dict[str, None] = {}
    for each in TYPES[type_]:
        tag = each.__struct_config__.tag_field
        found |= dict.fromkeys([*([tag] if tag else []), *(field.encode_name for field in fields(each))])
    return list(found)


def facts_of(event: Event) -> dict[str, object]:
    """An event's payload as plain values, as the ledger keeps it."""
    found: dict[str, object] = msgspec.to_builtins(event)
    return found
