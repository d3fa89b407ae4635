"""How a kind of master data is read, checked, compared and written; each kind says what is particular to it.

A shop file, the API and the administration use the same `Master`: its row is the shape, `check` what must be true of
the data by itself, `against` what must not contradict the floor.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any, ClassVar, Generic, TypeVar

import msgspec
from django.db import models
from django.db.models.functions import Lower
from msgspec import UNSET

from jitapp.kanban.stated import Stated, stated
from jitapp.plant.exactjson import Path
from jitapp.plant.expected import WrongMember, wrong_members
from jitapp.plant.holdings import Holdings
from jitapp.plant.masters.change import Change, Findings
from jitapp.plant.masters.report import Loaded, Problem, Report, shown
from jitapp.plant.masters.wrong import Wrong, faulty, no_such, twins, used_elsewhere
from jitapp.plant.models import Plant
from jitapp.plant.rows import Row, Unreadable, as_text, given, read_row

M = TypeVar("M", bound=models.Model)
R = TypeVar("R", bound=Row)
Values = dict[str, object]
Rows = Sequence[tuple[Path, R]]


class Load:
    """One load: what is known by its code, and what became of each row."""

    def __init__(self, plant_ids: frozenset[int] | None, floor: Holdings) -> None:
        self.report = Report()
        self.plant_ids = plant_ids
        self.floor = floor
        self.plants: dict[str, Plant] = {}
        self.structure_touched = False
        self._known: dict[str, dict[str, Any]] = {}
        self._asked: dict[str, set[str]] = {}
        self._seen: dict[tuple[Path, str, str], str] = {}
        self._refused: set[tuple[str, str]] = set()
        self._unread: dict[str, list[tuple[Path, Mapping[str, object]]]] = {}

    def problem(
        self, path: Path, kind: str, key: str, code: str, message: str | Stated, *, member: Path = ()
    ) -> None:
        """Notes why a row is not loaded; `member` leads to what is to blame within it."""
        self._refused.add((kind, key))
        said = message if isinstance(message, Stated) else None
        self.report.errors.append(Problem(path, kind, key, code, str(message), member, said))

    def also_changed(self, kind: str, key: str, changes: Mapping[str, tuple[str, str]]) -> None:
        """A row's report grows by what stands in other tables."""
        for place, row in enumerate(self.report.rows):
            if (row.kind, row.key) == (kind, key) and row.status != "created":
                self.report.rows[place] = Loaded(
                    row.path, row.kind, row.key, "changed", dict(row.changes) | dict(changes)
                )

    def read(
        self, path: Path, master: Master[R, Any], raws: Iterable[object], first: int = 0
    ) -> list[tuple[Path, R]]:
        """The rows that can be read and stand once in the file; the others become problems, one for each member."""
        rows = []
        for index, raw in enumerate(raws, start=first):
            place = (*path, index)
            key = str(raw.get(master.key) or "") if isinstance(raw, dict) else ""
            try:
                row = read_row(master.row, raw)
            except Unreadable as error:
                for wrong in error.wrong:
                    self.problem(place, master.kind, key, "malformed", wrong.message, member=wrong.path)
                if isinstance(raw, Mapping):
                    self._unread.setdefault(master.kind, []).append((place, raw))
                continue
            once = (path[:2] if master.in_several_plants else (), master.kind, key.casefold())
            if before := self._seen.get(once):
                same = before == key
                twice = stated("{key} stands in the file twice.", key=key) if same else twins(key, before)
                self.problem(place, master.kind, key, "twice", twice, member=(master.key,))
                continue
            self._seen[once] = key
            rows.append((place, row))
        return rows

    def unread(self, kind: str) -> list[tuple[Path, Mapping[str, object]]]:
        """Rows of the plant that could not be read, as they stand in the file; forgotten once they are asked for."""
        return self._unread.pop(kind, [])

    def find(self, master: Master[Any, M], keys: Iterable[object], plant: Plant) -> dict[str, M]:
        """What exists by its key, as far as it was asked for; keys that are no text are left out."""
        known = self._known.setdefault(master.kind, {})
        asked = self._asked.setdefault(master.kind, set())
        missing = {key for key in keys if isinstance(key, str) and key not in known} - asked
        asked |= missing
        if missing:
            found = master.model._default_manager.filter(**{f"{master.key}__in": missing})
            if master.refers:
                found = found.select_related(*master.refers)
            if master.codes_per_plant:
                found = found.filter(plant=plant)
            known.update({getattr(entry, master.key): entry for entry in found})
        return known

    def named(self, master: Master[Any, M], key: str, plant: Plant) -> M:
        """What a row refers to; it must be of the same plant. Raises Wrong."""
        found = self.find(master, [key], plant).get(key)
        if found is None and (master.kind, key) in self._refused:
            raise Wrong("unknown_reference", faulty(master.word, key))
        if found is None or getattr(found, "plant_id", plant.pk) != plant.pk:
            raise Wrong("unknown_reference", master.unknown(key, plant))
        return found

    def add(self, master: Master[Any, M], entries: Iterable[M]) -> None:
        """What was created can be named by later rows."""
        self._known.setdefault(master.kind, {}).update({getattr(one, master.key): one for one in entries})

    def begin(self, plant: Plant) -> None:
        """The rows of this plant follow; codes that count within a plant are asked for again."""
        self.plants[plant.code] = plant
        self._known.pop("calendars", None)
        self._asked.pop("calendars", None)
        self._unread.clear()


@dataclass(slots=True)
class _Draft(Generic[R, M]):
    """A row on its way: what exists, what it would be, and what differs."""

    path: Path
    row: R
    key: str
    before: M | None
    after: M
    wanted: Values
    changes: dict[str, tuple[str, str]]


class Master(Generic[R, M]):
    """One kind of master data. `refers` names the members that are keys of other kinds.

    `renamed` are members whose column has another name; `deferred` are members of what exists that somebody else
    changes after the load.
    """

    kind: ClassVar[str]
    word: ClassVar[str]
    key: ClassVar[str] = "code"
    row: type[R]
    model: type[M]
    refers: ClassVar[Mapping[str, Master[Any, Any]]] = {}
    renamed: ClassVar[Mapping[str, str]] = {}
    deferred: ClassVar[frozenset[str]] = frozenset()
    in_several_plants: ClassVar[bool] = False
    codes_per_plant: ClassVar[bool] = False
    shapes_structure: ClassVar[bool] = False
    # Members that the rules read as they are saved.
    for_rules: ClassVar[frozenset[str]] = frozenset()

    # -- what a kind says ----------------------------------------------------------------------

    def reader(self, load: Load, plant: Plant, rows: Rows[R]) -> Callable[[R, M | None], Values]:
        """Finds what the rows need to know at once; returns how a row becomes values of columns (raises Wrong)."""
        for name, master in self.refers.items():
            load.find(master, (getattr(row, name) for _, row in rows), plant)
        return lambda row, before: self.values(load, plant, row, before)

    def values(self, load: Load, plant: Plant, row: R, before: M | None) -> Values:
        """The columns that a row names. Raises Wrong for what it refers to in vain."""
        wanted: Values = {}
        for member, value in given(row):
            if member in self.refers and isinstance(value, str):
                value = load.named(self.refers[member], value, plant)
            name = self.renamed.get(member, member)
            wanted[name] = "" if value is None and name in self._texts else value
        if before is None and "name" in self._must_be_given:
            wanted = {"name": getattr(row, self.key)} | wanted
        return wanted

    def check(self, after: M, before: M | None) -> None:
        """What must be true whoever writes it. Raises Wrong."""

    def check_row(self, row: R, after: M, before: M | None) -> None:
        """What a row of a file says beside the columns. Raises Wrong."""

    def against(self, _floor: Holdings, _changes: Sequence[Change[R, M]]) -> Findings:
        """Changes held against what exists on the floor and in other master data."""
        return Findings()

    def finish(self, load: Load, plant: Plant, written: Sequence[tuple[R, M]]) -> None:
        """What belongs to the rows and stands in other tables."""

    def make(self, plant: Plant, values: Values) -> M:
        """A new one, not saved."""
        return self.model(plant=plant, **values)

    def unknown(self, key: str, plant: Plant) -> Stated:
        """The sentence for a reference that leads nowhere."""
        return no_such(self.word, key, plant.code)

    # -- reading and writing -------------------------------------------------------------------

    def write(self, load: Load, plant: Plant, rows: Rows[R]) -> None:
        """Creates what is new and changes what differs, in two statements whatever the number of rows."""
        load.structure_touched |= self.shapes_structure and bool(rows)
        existing = load.find(self, [getattr(row, self.key) for _, row in rows], plant)
        values = self.reader(load, plant, rows)
        for path, raw in load.unread(self.kind):
            self.refer(load, plant, path, str(raw.get(self.key) or ""), raw)
        others = self.others_by_case(
            [key for _, row in rows if (key := getattr(row, self.key)) not in existing], plant
        )
        drafts = [
            draft
            for path, row in rows
            if (draft := self._draft(load, plant, path, row, existing, others, values)) is not None
        ]
        findings = self.against(
            load.floor,
            [
                Change(draft.before, draft.after, frozenset(draft.changes), draft.row)
                for draft in drafts
                if draft.before is not None
            ],
        )
        load.report.remarks += findings.notes
        self.finish(load, plant, self._save(load, drafts, findings))

    def refer(self, load: Load, plant: Plant, path: Path, key: str, members: Mapping[str, object]) -> bool:
        """Whether everything that a row's members refer to exists; each that does not is a problem of the row."""
        found = True
        for member, master in self.refers.items():
            wanted = members.get(member)
            try:
                if isinstance(wanted, str):
                    load.named(master, wanted, plant)
            except Wrong as error:
                load.problem(path, self.kind, key, error.code, error.said, member=(member,))
                found = False
        return found

    def others_by_case(self, keys: Sequence[str], plant: Plant | None) -> dict[str, str]:
        """What exists under one of these keys in other letters, large or small, by the key in small ones."""
        if not keys:
            return {}
        found = self.model._default_manager.annotate(small=Lower(self.key))
        if self.codes_per_plant:
            found = found.filter(plant=plant)
        return dict(found.filter(small__in=[key.lower() for key in keys]).values_list("small", self.key))

    def _draft(
        self,
        load: Load,
        plant: Plant,
        path: Path,
        row: R,
        existing: Mapping[str, M],
        others: Mapping[str, str],
        values: Callable[[R, M | None], Values],
    ) -> _Draft[R, M] | None:
        key: str = getattr(row, self.key)
        before = existing.get(key)
        if not self.refer(load, plant, path, key, dict(given(row))):
            return None
        try:
            if before is None and (other := others.get(key.lower())):
                raise Wrong("twice", twins(key, other), (self.key,))
            if before is not None and getattr(before, "plant_id", plant.pk) != plant.pk:
                raise Wrong("taken", used_elsewhere(key))
            wanted = values(row, before)
            if before is None:
                after = self.make(plant, wanted)
            else:
                after = copy.copy(before)
                for name, value in wanted.items():
                    setattr(after, name, value)
            self.check(after, before)
            self.check_row(row, after, before)
        except Wrong as error:
            load.problem(path, self.kind, key, error.code, error.said, member=error.member)
            return None
        changes = {} if before is None else self._changes(before, wanted)
        return _Draft(path, row, key, before, after, wanted, changes)

    def _changes(self, before: M, wanted: Values) -> dict[str, tuple[str, str]]:
        return {
            name: (shown(getattr(before, name)), shown(value))
            for name, value in wanted.items()
            if name not in self.deferred and getattr(before, name) != value
        }

    def _save(self, load: Load, drafts: Sequence[_Draft[R, M]], findings: Findings) -> list[tuple[R, M]]:
        created, changed, written = [], [], []
        names: set[str] = set()
        for draft in drafts:
            entry = draft.before
            if entry is None:
                entry = draft.after
                created.append(entry)
                status = "created"
            elif refusal := findings.wrong.get(entry.pk):
                load.problem(draft.path, self.kind, draft.key, refusal.code, refusal.said)
                continue
            else:
                status = "changed" if draft.changes else "unchanged"
                for name in draft.changes:
                    setattr(entry, name, draft.wanted[name])
                if draft.changes:
                    names |= draft.changes.keys() | self.count_version(entry)
                    changed.append(entry)
            load.report.rows.append(Loaded(draft.path, self.kind, draft.key, status, draft.changes))
            written.append((draft.row, entry))
        manager = self.model._default_manager
        if created:
            manager.bulk_create(created, batch_size=1_000)
            load.add(self, created)
        if changed:
            manager.bulk_update(changed, sorted(names), batch_size=1_000)
        return written

    def count_version(self, entry: M) -> set[str]:
        """A change is a new version, where versions are counted; the columns that changed with it."""
        if not hasattr(entry, "version"):
            return set()
        entry.version += 1
        return {"version"}

    # -- other forms of the same ---------------------------------------------------------------

    def members(self, entry: M) -> dict[str, object]:
        """The row's members as the API shows them; what stands in other tables or counts once is left out."""
        found: dict[str, object] = {}
        for member in self.row.__struct_fields__:
            name = self.renamed.get(member, member)
            if name not in self._columns:
                continue
            value = getattr(entry, name)
            if value is not None and member in self.refers:
                value = getattr(value, self.refers[member].key)
            elif isinstance(value, Decimal):
                value = shown(value)
            found[member] = None if value == "" and member in self._clearable else value
        return found

    def check_references(self, entry: M, names: Collection[str]) -> None:
        """What the members of these names refer to is of the same plant. Raises Wrong."""
        plant = getattr(entry, "plant", None)
        for member, master in self.refers.items():
            other = getattr(entry, member)
            if plant is None or other is None or member not in names:
                continue
            if getattr(other, "plant_id", plant.pk) != plant.pk:
                raise Wrong("unknown_reference", master.unknown(getattr(other, master.key), plant))

    def normalise(self, entry: M) -> None:
        """What was typed by hand takes the shape of a row; columns of lists and members keep what the row reads.

        Raises Unreadable.
        """
        raw: dict[str, object] = {}
        for member in self.row.__struct_fields__:
            if self.renamed.get(member, member) in self._columns and member not in self.refers:
                raw[member] = as_text(self._saved(entry, member))
        row = read_row(self.row, raw)
        for member in raw:
            name = self.renamed.get(member, member)
            if isinstance(self._columns[name], models.JSONField):
                setattr(entry, name, msgspec.to_builtins(getattr(row, member)))

    def mend(self, entry: M) -> list[str]:
        """What the rules cannot read of a saved row, a sentence each; such a column of `entry` takes its default, in
        memory only. Rows come also from earlier versions, and past the checks of ours.
        """
        saved = {member: self._saved(entry, member) for member in self.for_rules}
        numbers = (value for value in saved.values() if isinstance(value, Decimal))
        try:
            msgspec.convert(saved, self._saved_shape)
            if all(value.is_finite() for value in numbers):
                return []
        except msgspec.ValidationError:
            pass
        found = wrong_members(self._saved_shape, saved, strict=True)
        found += [
            WrongMember((member,), f"{member}: {value} stands there, expected a number like 12 or 0.5.")
            for member, value in saved.items()
            if isinstance(value, Decimal) and not value.is_finite()
        ]
        for member in {str(wrong.path[0]) for wrong in found}:
            column = self._columns[member]
            default = column.get_default()
            setattr(entry, member, Decimal(1) if default is None and not column.null else default)
        return [wrong.message for wrong in found]

    def _saved(self, entry: M, member: str) -> object:
        value = getattr(entry, self.renamed.get(member, member))
        return None if value == "" and member in self._clearable else value

    @cached_property
    def _saved_shape(self) -> type[msgspec.Struct]:
        """The members that the rules read, as a row of their own; a row without the others is none of the kind."""
        shape = [
            (member.name, member.type, UNSET)
            for member in msgspec.structs.fields(self.row)
            if member.name in self.for_rules
        ]
        return msgspec.defstruct(f"Saved{self.row.__name__}", shape, bases=(Row,), kw_only=True)

    @cached_property
    def _columns(self) -> dict[str, models.Field[Any, Any]]:
        return {column.name: column for column in self.model._meta.fields}

    @cached_property
    def _texts(self) -> frozenset[str]:
        """Columns of texts that are empty where nothing is known."""
        return frozenset(
            name
            for name, column in self._columns.items()
            if isinstance(column, models.CharField) and not column.null
        )

    @cached_property
    def _must_be_given(self) -> frozenset[str]:
        return frozenset(name for name in self._texts if not self._columns[name].blank)

    @cached_property
    def _clearable(self) -> frozenset[str]:
        """Members that `null` clears."""
        return frozenset(
            member.name
            for member in msgspec.structs.fields(self.row)
            if type(None) in getattr(member.type, "__args__", ())
        )
