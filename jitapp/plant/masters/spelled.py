"""Names and numbers in a document as they are kept: names tidy, and what refers to something in its spelling; numbers
in the digits 0 to 9, whatever script they were typed in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, get_args, get_origin

import msgspec

from jitapp.kanban.andon import ROLES
from jitapp.kanban.names import folded, tidy
from jitapp.kanban.quantity import in_ascii
from jitapp.plant.masters.bills import BILLS
from jitapp.plant.masters.loops import LOOPS
from jitapp.plant.masters.master import Master
from jitapp.plant.masters.parts import PARTS
from jitapp.plant.masters.people import PEOPLE
from jitapp.plant.masters.stations import STATIONS
from jitapp.plant.masters.table import MASTERS
from jitapp.plant.models import Plant
from jitapp.plant.spelling import alike

Kind = Master[Any, Any]
Lists = Mapping[str, list[object]]
# Says how a name is kept that refers to something of the kind.
Speller = Callable[[Kind, str], str]


def as_kept(lists: Lists, plant: Plant) -> dict[str, list[object]]:
    """The lists of a plant with their names as they are kept. A reference that differs in case alone from a key of the
    lists or of the database becomes that key, unless it may mean several; one that leads nowhere stays as it is."""
    tidied = {kind: [_row(kind, row, _tidy) for row in rows] for kind, rows in lists.items()}
    named: dict[str, tuple[Kind, set[str]]] = {}

    def note(kind: Kind, name: str) -> str:
        named.setdefault(kind.kind, (kind, set()))[1].add(name)
        return name

    for each, rows in tidied.items():
        for row in rows:
            _row(each, row, note)
    known = {each: _spellings(kind, names, tidied[each], plant) for each, (kind, names) in named.items()}
    return {
        each: [_row(each, row, lambda kind, name: known[kind.kind].get(name, name)) for row in rows]
        for each, rows in tidied.items()
    }


def _tidy(_kind: Kind, name: str) -> str:
    return tidy(name)


def _spellings(kind: Kind, names: set[str], rows: Sequence[object], plant: Plant) -> dict[str, str]:
    """The kept spelling of those names that are not written as they are kept."""
    own = {name for row in rows for name in _keys(kind, row)}
    stored = kind.model._default_manager.all()
    if kind.codes_per_plant:
        stored = stored.filter(plant=plant)
    unknown = names - own
    if unknown:
        unknown -= set(stored.filter(**{f"{kind.key}__in": unknown}).values_list(kind.key, flat=True))
    if not unknown:
        return {}
    others = {
        name: {getattr(entry, kind.key) for entry in entries}
        for name, entries in alike(stored, kind.key, unknown).items()
    }
    for name in own:
        others.setdefault(folded(name), set()).add(name)
    found = {name: others.get(folded(name), set()) for name in unknown}
    return {name: next(iter(spelled)) for name, spelled in found.items() if len(spelled) == 1}


def _keys(kind: Kind, row: object) -> Iterator[str]:
    key = row.get(kind.key) if isinstance(row, dict) else None
    if isinstance(key, str):
        yield key


def _row(each: str, row: object, spell: Speller) -> object:
    """The row with its references, and while it is tidied its key, as `spell` says."""
    if not isinstance(row, dict):
        return row
    kind, found = _KINDS[each], dict(row)
    for member, of in _REFERS[each].items():
        if isinstance(value := found.get(member), str):
            found[member] = spell(of, value)
    if spell is _tidy:
        if isinstance(key := found.get(kind.key), str):
            found[kind.key] = tidy(key)
        for member in _NUMBERS[each]:
            if isinstance(value := found.get(member), str):
                found[member] = in_ascii(value).strip()
    if isinstance(steps := found.get("escalation"), list):
        steps = [_in(step, "after", in_ascii) for step in steps]
        found["escalation"] = [_in(step, "who", lambda who: spell(PEOPLE, who), but=ROLES) for step in steps]
    if isinstance(lines := found.get("components"), list):
        lines = [_in(line, "quantity", in_ascii) for line in lines]
        found["components"] = [_in(line, "part", lambda part: spell(PARTS, part)) for line in lines]
    if isinstance(stops := found.get("stops"), list):
        stops = [_in(stop, "minutes", in_ascii) for stop in stops]
        found["stops"] = [_in(stop, "station", lambda code: spell(STATIONS, code)) for stop in stops]
    if isinstance(codes := found.get("loops"), list):
        found["loops"] = [spell(LOOPS, code) if isinstance(code, str) else code for code in codes]
    if isinstance(work := found.get("standard_work"), dict):
        found["standard_work"] = {spell(STATIONS, str(code)): url for code, url in work.items()}
    return found


def _in(row: object, member: str, spell: Callable[[str], str], *, but: Sequence[str] = ()) -> object:
    value = row.get(member) if isinstance(row, dict) else None
    if not isinstance(row, dict) or not isinstance(value, str) or value in but:
        return row
    return row | {member: spell(value)}


def _is_number(shape: object) -> bool:
    return shape in (int, Decimal) or any(
        _is_number(inner) for inner in get_args(shape) if get_origin(shape) is not list
    )


_KINDS: dict[str, Kind] = {master.kind: master for master in MASTERS}
_REFERS: dict[str, dict[str, Kind]] = {master.kind: dict(master.refers) for master in MASTERS}
_REFERS[BILLS.kind]["part"] = PARTS
_NUMBERS: dict[str, tuple[str, ...]] = {
    master.kind: tuple(
        member.name for member in msgspec.structs.fields(master.row) if _is_number(member.type)
    )
    for master in MASTERS
}
