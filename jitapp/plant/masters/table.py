"""The kinds of master data in the order in which they are written: what is named by others comes first."""

from __future__ import annotations

from typing import Any

from jitapp.plant.masters.areas import AREAS
from jitapp.plant.masters.bills import BILLS
from jitapp.plant.masters.calendars import CALENDARS
from jitapp.plant.masters.loops import LOOPS
from jitapp.plant.masters.master import Master
from jitapp.plant.masters.parts import PARTS
from jitapp.plant.masters.people import PEOPLE
from jitapp.plant.masters.routes import ROUTES
from jitapp.plant.masters.stations import STATIONS
from jitapp.plant.masters.suppliers import SUPPLIERS

MASTERS: tuple[Master[Any, Any], ...] = (
    CALENDARS,
    PEOPLE,
    AREAS,
    SUPPLIERS,
    STATIONS,
    PARTS,
    BILLS,
    LOOPS,
    ROUTES,
)
