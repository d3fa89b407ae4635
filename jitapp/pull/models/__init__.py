"""Cards, turns, the ledger and what follows from it: fields and constraints only.

Writers are jitapp.pull.actions alone. The rules that PostgreSQL can hold stand here and in the migrations
(append-only ledger); docs of each constraint name the rule (C1-C14) they keep.
"""

from __future__ import annotations

from jitapp.pull.models.boards import BoardLine
from jitapp.pull.models.cards import Bin, Card, LoopState
from jitapp.pull.models.fields import Xid8Field
from jitapp.pull.models.floor import AndonCall, CallRepeat, QualityHold, Runout, StationState, Wait
from jitapp.pull.models.handovers import Handover, HandoverSignature
from jitapp.pull.models.ledger import Event, History, Receipt, Settlement
from jitapp.pull.models.sequences import DeviceSequence, MissingScans
from jitapp.pull.models.snapshots import LoopSnapshot
from jitapp.pull.models.turns import Draw, Turn, TurnLink

__all__ = [
    "AndonCall",
    "Bin",
    "BoardLine",
    "CallRepeat",
    "Card",
    "DeviceSequence",
    "Draw",
    "Event",
    "Handover",
    "HandoverSignature",
    "History",
    "LoopSnapshot",
    "LoopState",
    "MissingScans",
    "QualityHold",
    "Receipt",
    "Runout",
    "Settlement",
    "StationState",
    "Turn",
    "TurnLink",
    "Wait",
    "Xid8Field",
]
