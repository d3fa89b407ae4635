"""The only writers of the pull room, named with the floor's verbs."""

from jitapp.pull.actions.cards import add_cards, add_extra_card, replace_card
from jitapp.pull.actions.propagate import propagate
from jitapp.pull.actions.scanning import BATCH_LIMIT, scan, scan_batch
from jitapp.pull.actions.stations import record_station_event
from jitapp.pull.actions.sweeping import settle_loops, sweep

__all__ = [
    "BATCH_LIMIT",
    "add_cards",
    "add_extra_card",
    "propagate",
    "record_station_event",
    "replace_card",
    "scan",
    "scan_batch",
    "settle_loops",
    "sweep",
]
