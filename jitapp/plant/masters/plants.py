"""Plants: the sites whose lists follow in a shop file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from jitapp.kanban.worktime import BadCalendar, WorkCalendar
from jitapp.plant.exactjson import Path
from jitapp.plant.masters.master import Load, Master, Values
from jitapp.plant.masters.report import Loaded
from jitapp.plant.masters.words import WordsRow, kept_words
from jitapp.plant.masters.wrong import Wrong
from jitapp.plant.models import Plant
from jitapp.plant.rows import Code, Name, Row


class PlantRow(Row):
    """A site; its lists stand beside these members. `words`: what a bin, a station, a part and a card are called."""

    code: Code
    name: Name | UnsetType = UNSET
    time_zone: Annotated[str, Meta(max_length=60)] | UnsetType = UNSET
    words: WordsRow | UnsetType = UNSET


class Plants(Master[PlantRow, Plant]):
    """A plant is read before its lists, which belong to it."""

    kind, word, row, model = "plants", "plant", PlantRow, Plant

    def values(self, load: Load, plant: Plant, row: PlantRow, before: Plant | None) -> Values:
        """Words are kept as they are spoken."""
        wanted = super().values(load, plant, row, before)
        if "words" in wanted:
            wanted["words"] = kept_words(wanted["words"])
        return wanted

    def normalise(self, entry: Plant) -> None:
        """Raises Wrong for words that cannot be spoken."""
        entry.words = kept_words(entry.words or {})
        super().normalise(entry)

    def check(self, after: Plant, before: Plant | None) -> None:
        """The time zone exists."""
        try:
            WorkCalendar(after.time_zone)
        except BadCalendar as error:
            raise Wrong("malformed", error.args[0], ("time_zone",)) from None

    def mend(self, entry: Plant) -> list[str]:
        """A time zone that does not exist, or no longer, counts as UTC."""
        try:
            self.check(entry, None)
        except Wrong as wrong:
            entry.time_zone = "UTC"
            return [str(wrong)]
        return []

    def make(self, plant: Plant, values: Values) -> Plant:
        """A new site."""
        return Plant(**values)

    def write_one(self, load: Load, path: Path, head: Mapping[str, object]) -> Plant | None:
        """The plant of these members, made or changed if needed; None if it cannot be, with the reason noted."""
        rows = load.read(path[:-1], self, [head], first=int(path[-1]))
        if not rows:
            return None
        row = rows[0][1]
        plant = Plant.objects.filter(code=row.code).first()
        if load.plant_ids is not None and (plant is None or plant.pk not in load.plant_ids):
            load.problem(
                path, self.kind, row.code, "unknown_reference", f"There is no plant {row.code!r} here."
            )
            return None
        site = plant or Plant()
        existing = {} if plant is None else {row.code: plant}
        draft = self._draft(
            load,
            site,
            path,
            row,
            existing,
            {} if plant else self.others_by_case([row.code], None),
            lambda row, before: self.values(load, site, row, before),
        )
        if draft is None:
            return None
        if plant is None:
            plant = draft.after
            plant.save()
        elif draft.changes:
            for name in draft.changes:
                setattr(plant, name, draft.wanted[name])
            plant.save(update_fields=list(draft.changes))
        status = "created" if draft.before is None else "changed" if draft.changes else "unchanged"
        load.report.rows.append(Loaded(path, self.kind, row.code, status, draft.changes))
        return plant


PLANTS = Plants()
