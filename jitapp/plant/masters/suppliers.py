"""Suppliers: companies that fill containers from outside."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from jitapp.plant.masters.calendars import CALENDARS
from jitapp.plant.masters.master import Master
from jitapp.plant.models import Supplier
from jitapp.plant.rows import Code, Day, Minutes, Name, Row


class SupplierRow(Row):
    """A company that fills containers from outside."""

    code: Code
    name: Name | UnsetType = UNSET
    calendar: str | UnsetType | None = UNSET
    ack_within_minutes: Minutes | UnsetType | None = UNSET
    delivery_days: list[Day] | UnsetType = UNSET


class Suppliers(Master[SupplierRow, Supplier]):
    """Their working time and the days on which they deliver."""

    kind, word, row, model = "suppliers", "supplier", SupplierRow, Supplier
    refers = {"calendar": CALENDARS}
    for_rules = frozenset({"delivery_days", "ack_within_minutes"})


SUPPLIERS = Suppliers()
