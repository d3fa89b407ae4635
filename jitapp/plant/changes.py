"""Who changed which master data, when, from what to what: by pages, API or files. Remarks of planners stand there too.

Loops have their changes in the ledger besides, with what became of their cards.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from jitapp.plant.history import MasterChange
from jitapp.plant.masters.report import Report
from jitapp.plant.models import Plant


def note_changes(
    report: Report, *, at: datetime, person_id: int | None = None, device_id: int | None = None
) -> None:
    """Keeps what a load changed, inside its transaction. New rows are kept where somebody is known to have made them:
    a shop that is loaded at the start is no change. Of a plant itself the words count."""
    kept = {"changed"} if person_id is None and device_id is None else {"changed", "created"}
    rows = [
        row for row in report.rows if row.status in kept and (row.kind != "plants" or "words" in row.changes)
    ]
    if not rows:
        return
    codes = {row.path[1]: row.key for row in report.rows if row.kind == "plants"}
    plants = dict(Plant.objects.filter(code__in=codes.values()).values_list("code", "pk"))
    MasterChange.objects.bulk_create(
        [
            MasterChange(
                plant_id=plants[codes[row.path[1]]],
                kind=row.kind,
                key=row.key,
                what=row.status,
                changes={name: list(pair) for name, pair in row.changes.items()},
                at=at,
                person_id=person_id,
                device_id=device_id,
            )
            for row in rows
        ],
        batch_size=1_000,
    )


def remark(*, plant_id: int, kind: str, key: str, text: str, person_id: int, at: datetime) -> None:
    """Somebody wrote something about a row, for whoever plans after them."""
    MasterChange.objects.create(
        plant_id=plant_id,
        kind=kind,
        key=key,
        what=MasterChange.What.REMARK,
        remark=text,
        at=at,
        person_id=person_id,
    )


def newest_changes(plant_id: int, kind: str, key: str, most: int = 20) -> list[MasterChange]:
    """What was changed and remarked, newest first."""
    found = MasterChange.objects.filter(plant_id=plant_id, kind=kind, key=key)
    return list(found.select_related("person", "device").order_by("-id")[:most])


def remarks_of(plant_id: int, kind: str, keys: Collection[str]) -> list[MasterChange]:
    """Remarks on these rows, newest first."""
    found = MasterChange.objects.filter(
        plant_id=plant_id, kind=kind, key__in=keys, what=MasterChange.What.REMARK
    )
    return list(found.select_related("person").order_by("-id")[:20])
