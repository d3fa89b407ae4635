"""Fields as a page draws them: label, help, options, what was typed, what is wrong with it, what stands there now."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext

from jitapp.accounts.models import Person
from jitapp.kanban.andon import ROLES
from jitapp.kanban.vocabulary import Intent, Need, SupplyStatus
from jitapp.plant.masters.master import Master
from jitapp.plant.masters.parts import PARTS
from jitapp.plant.masters.people import PEOPLE
from jitapp.plant.masters.stations import STATIONS
from jitapp.plant.models import Plant
from jitapp.web.masters.fields import DAYS, Field, Raw, lines_of, text_of
from jitapp.web.masters.kinds import Kind
from jitapp.web.masters.saving import Refusal
from jitapp.web.masters.words import NO, YES, called, day_word, help_of, label, word_of
from jitapp.web.scan import CHOICES

MOST_OPTIONS = 200  # beyond them a list to choose from is a field to type into, with suggestions
EMPTY_LINES = 3
# What a text names, where the type of the row does not say it.
NAMED: dict[tuple[str, str], Master[Any, Any]] = {
    ("bills", "part"): PARTS,
    ("bills", "components.part"): PARTS,
    ("parts", "standard_work.key"): STATIONS,
}
# The steps between that a loop may leave out; EMPTY and FULL are part of every turn.
STEPS = (SupplyStatus.IN_USE, SupplyStatus.IN_PROCESS, SupplyStatus.COMPLETED, SupplyStatus.IN_TRANSIT)


@dataclass(frozen=True, slots=True)
class Option:
    """Something to choose."""

    value: str
    word: str
    chosen: bool = False


@dataclass(slots=True)
class Drawn:
    """A field on a page. `lines` are those of a table, each a list of fields; `theirs` is what somebody else saved."""

    id: str
    name: str
    widget: str
    label: str
    help: str = ""
    value: str = ""
    required: bool = False
    on: bool = False
    longest: int | None = None
    options: list[Option] = field(default_factory=list)
    lines: list[list[Drawn]] = field(default_factory=list)
    groups: list[Drawn] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    theirs: str = ""
    rare: bool = False


@dataclass(slots=True)
class Drawing:
    """Draws the fields of one form. The options of each kind are read once."""

    kind: Kind
    plant: Plant
    refusal: Refusal = field(default_factory=Refusal)
    _options: dict[str, list[tuple[str, str]]] = field(default_factory=dict)

    def draw(self, each: Field, value: object, *, prefix: str = "", within: str = "") -> Drawn:
        """A field with its value."""
        member = f"{within}.{each.name}" if within else each.name
        name = prefix + each.name
        found = Drawn(
            id=f"f-{name}",
            name=name,
            widget=each.widget,
            label=label(self.kind.name, member),
            help=help_of(self.kind.name, member),
            value=text_of(each, value),
            required=each.required,
            longest=each.most if each.widget == "text" else None,
            problems=self.refusal.at.get(name, []),
            rare=each.name in self.kind.rare,
        )
        if each.widget == "tick":
            found.on = value in (True, "true")
        elif each.widget == "days":
            chosen = value if isinstance(value, list) else []
            found.options = [Option(day, day_word(day), day in chosen) for day in DAYS]
        elif each.widget == "table":
            self._table(found, each, value)
        elif each.widget == "needs":
            self._needs(found, each, value)
        else:
            self._choices(found, each, member)
        return found

    def _table(self, found: Drawn, each: Field, value: object) -> None:
        have = lines_of(each, value)
        for at, line in enumerate([*have, *({} for _ in range(EMPTY_LINES))]):
            found.lines.append(
                [
                    self.draw(column, line.get(column.name), prefix=f"{found.name}-{at}-", within=each.name)
                    for column in each.columns
                ]
            )
        found.problems = [
            *found.problems,
            *(
                said
                for path, sayings in self.refusal.at.items()
                for said in sayings
                if path.startswith(f"{found.name}-") and path.count("-") == 1
            ),
        ]

    def _needs(self, found: Drawn, each: Field, value: object) -> None:
        chosen = value if isinstance(value, Mapping) else {}
        for step in STEPS:
            need = str(chosen.get(str(step), ""))
            options = [Option("", gettext("as usual"), not need)]
            options += [Option(str(word), word_of(Need, word), word == need) for word in Need]
            name = f"{found.name}-{step}"
            found.groups.append(
                Drawn(f"f-{name}", name, "select", word_of(SupplyStatus, step), options=options)
            )

    def _choices(self, found: Drawn, each: Field, member: str) -> None:
        if each.enum is not None:
            words = CHOICES if each.enum is Intent else tuple(each.enum)
            known = [(str(word), word_of(each.enum, str(word))) for word in words]
            if found.value and found.value not in {value for value, _ in known}:
                known.append((found.value, word_of(each.enum, found.value)))
        elif each.ref is not None or (self.kind.name, member) in NAMED:
            known = self.options(each.ref or NAMED[self.kind.name, member])
        elif member == "escalation.who":
            known = [(who, called(who)) for who in ROLES] + self.options(PEOPLE)
        else:
            return
        if each.widget == "text" or len(known) > MOST_OPTIONS:
            found.widget = "suggest"
            found.options = [Option(value, word) for value, word in known[:MOST_OPTIONS]]
            return
        found.widget = "select"
        if found.value and found.value not in {value for value, _ in known}:
            known = [*known, (found.value, found.value)]  # what was typed stays until it is put right
        if each.clearable or not each.required:
            found.options.append(Option("", "–", not found.value))
        found.options += [Option(value, word, value == found.value) for value, word in known]

    def options(self, master: Master[Any, Any]) -> list[tuple[str, str]]:
        """Key and name of what a field may refer to in this plant."""
        if master.kind not in self._options:
            self._options[master.kind] = options_of(master, self.plant)
        return self._options[master.kind]


def options_of(master: Master[Any, Any], plant: Plant) -> list[tuple[str, str]]:
    """Key and name of the first rows of a kind in a plant, and one more than are offered."""
    if master is PEOPLE:
        people = Person.objects.filter(memberships__plant=plant, is_active=True).distinct()
        return [(one.username, str(one)) for one in people.order_by("name")[: MOST_OPTIONS + 1]]
    name = "description" if master is PARTS else "name"
    rows = master.model._default_manager.filter(plant=plant).order_by(master.key)
    found = rows.values_list(master.key, name)[: MOST_OPTIONS + 1]
    return [(key, f"{key} · {word}" if word and word != key else key) for key, word in found]


def said(kind: Kind, each: Field, value: object) -> str:
    """A value in words, for lists and for differences."""
    if value in (None, "", [], {}):
        return ""
    if each.widget == "tick":
        return gettext(YES if value in (True, "true", "True") else NO)
    if each.enum is not None and each.widget == "select":
        return word_of(each.enum, str(value))
    if each.widget == "days" and isinstance(value, list):
        return ", ".join(day_word(day) for day in value if day in DAYS)
    if each.widget == "needs" and isinstance(value, Mapping):
        return ", ".join(
            f"{word_of(SupplyStatus, step)}: {word_of(Need, need)}" for step, need in value.items()
        )
    if each.widget == "table":
        lines = lines_of(each, value)
        return "; ".join(" ".join(_cell(column, line) for column in each.columns).strip() for line in lines)
    return text_of(each, value).replace("\n", ", ")


def said_of_old(kind: Kind, name: str, text: str) -> str:
    """A value as the history keeps it, in words; `name` is the column's."""
    member = {column: member for member, column in kind.master.renamed.items()}.get(name, name)
    each = field_named(kind, member)
    if each is None:
        return text
    if text[:1] in ("[", "{"):
        try:
            return said(kind, each, json.loads(text))
        except ValueError:
            return text
    return said(kind, each, text)


def _cell(column: Field, line: Raw) -> str:
    value = line.get(column.name)
    if column.widget == "days" and isinstance(value, list):
        return ", ".join(day_word(day)[:3] for day in value if day in DAYS)
    return text_of(column, value)


def differences(
    kind: Kind, before: Mapping[str, object], after: Mapping[str, object]
) -> list[tuple[str, str, str]]:
    """Label, value before and value after of each member that `after` names and that differs."""
    found = []
    for each in kind.fields():
        if each.name in after:
            one, other = said(kind, each, before.get(each.name)), said(kind, each, after[each.name])
            if one != other:
                found.append((label(kind.name, each.name), one, other))
    return found


def field_named(kind: Kind, name: str) -> Field | None:
    """A field of the kind's form."""
    return next((each for each in kind.fields() if each.name == name), None)
