"""The only writers of the pull room, named with the floor's verbs."""

from jitapp.pull.actions.cards import add_cards, add_extra_card, replace_card
from jitapp.pull.actions.loops import (
    Refused,
    apply_due_revisions,
    give_document,
    hold_loop,
    mark_printed,
    plan_revision,
    resize_loop,
    resume_loop,
)
from jitapp.pull.actions.orders import order
from jitapp.pull.actions.propagate import propagate
from jitapp.pull.actions.scanning import BATCH_LIMIT, scan, scan_batch
from jitapp.pull.actions.stations import record_station_event
from jitapp.pull.actions.sweeping import settle_loops, sweep

__all__ = [
    "BATCH_LIMIT",
    "Refused",
    "add_cards",
    "add_extra_card",
    "apply_due_revisions",
    "give_document",
    "hold_loop",
    "mark_printed",
    "order",
    "plan_revision",
    "propagate",
    "record_station_event",
    "replace_card",
    "resize_loop",
    "resume_loop",
    "scan",
    "scan_batch",
    "settle_loops",
    "sweep",
]
