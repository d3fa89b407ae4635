"""The form of a shop file: its version, its lists in the order in which they are written, and their keys
(docs/shop-files.md). The rows themselves stand in `masters`."""

from __future__ import annotations

from jitapp.plant.masters.areas import AreaRow
from jitapp.plant.masters.bills import BillRow
from jitapp.plant.masters.loops import LoopRow
from jitapp.plant.masters.parts import PartRow
from jitapp.plant.masters.stations import StationRow
from jitapp.plant.masters.suppliers import SupplierRow
from jitapp.plant.masters.table import MASTERS
from jitapp.plant.rows import MOST_DEPTH, Row, Unreadable, as_text

__all__ = [
    "FORMAT",
    "KEYS",
    "LISTS",
    "MOST_DEPTH",
    "AreaRow",
    "BillRow",
    "LoopRow",
    "PartRow",
    "StationRow",
    "SupplierRow",
    "Unreadable",
    "as_text",
]

FORMAT = "1"
LISTS: dict[str, type[Row]] = {master.kind: master.row for master in MASTERS}
KEYS: dict[str, str] = {master.kind: master.key for master in MASTERS if master.key != "code"}  # others: code
