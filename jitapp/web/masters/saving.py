"""A row that was typed, judged and saved by the way of shop files and API; what is refused stands at its field."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec
from django.utils import timezone
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_noop as mark

from jitapp.kanban.names import tidy
from jitapp.plant.loading import Problem
from jitapp.plant.models import Plant
from jitapp.plant.rows import Unreadable, as_text, read_row
from jitapp.plant.shopfile import FORMAT
from jitapp.pull.scan_request import Source
from jitapp.pull.setup import SetUp, set_up_shop
from jitapp.web.masters.fields import Field, Raw, as_row
from jitapp.web.masters.kinds import Kind
from jitapp.web.masters.refusals import in_words
from jitapp.web.masters.words import ENUMS, label

# What was expected of a member, by its widget.
EXPECTED = {
    "number": mark("Write a whole number."),
    "decimal": mark("Write a number like 12 or 0.5, without a thousands separator."),
    "select": mark("Choose one of the list."),
    "ref": mark("Choose one of the list."),
    "spans": mark("Write times as 09:00-09:15, with a comma between."),
    "days": mark("Choose days of the week."),
}
BETWEEN = mark("Write a whole number from {least} to {most}.")
LONG = mark("Write at most {most} characters.")
MISSING = mark("This is needed.")
CODE = mark("Use letters, digits, dot, dash and underscore; at most 60, the first a letter or digit.")
# What a refusal is about; the sentence of the rule stands beside it.
REFUSALS = {
    "unknown_reference": mark("There is nothing of this name in the plant."),
    "taken": mark("Something in another plant has this name already. Choose another."),
    "twice": mark("Something has this name already, or it stands here twice. Choose another."),
    "identity": mark("This stands on the cards and cannot be changed. Make a new one and retire this one."),
    "in_use": mark("What is on the floor does not allow it now."),
    "refused": mark("A rule does not allow it."),
    "circle": mark("It would go in a circle: a part would be needed to make itself."),
    "malformed": mark("This cannot be saved as it stands."),
}
_MACHINE = re.compile(r"`?\b([a-z]+(?:_[a-z]+)+)\b`?")


class Changed(Exception):
    """Somebody else saved the row since the form was opened."""


class Exists(Exception):
    """A new row has the key of one that exists: it would change that one."""


@dataclass(slots=True)
class Refusal:
    """Why a row was not saved: sentences at members, by the path of the field (`components-0-part`), and others."""

    at: dict[str, list[str]] = field(default_factory=dict)
    others: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.at or self.others)

    def add(self, member: Sequence[str | int], known: Sequence[Field], sentence: str) -> None:
        """At its field; where there is no such field here, above the form."""
        place = "-".join(str(step) for step in member)
        if member and member[0] in {each.name for each in known}:
            self.at.setdefault(place, []).append(sentence)
        elif sentence not in self.others:
            self.others.append(sentence)


def digest(raw: Mapping[str, object]) -> str:
    """The version of a row as a form shows it."""
    return hashlib.sha256(msgspec.json.encode(raw, order="sorted")).hexdigest()[:20]


def document(plant: Plant, rows: Mapping[str, Sequence[Mapping[str, object]]]) -> dict[str, object]:
    """A shop document with these rows of one plant."""
    lists = {kind: [dict(row) for row in of_kind] for kind, of_kind in rows.items()}
    return {"shop": FORMAT, "plants": [{"code": plant.code} | lists]}


def readable(kind: Kind, raw: Raw, *, new: bool) -> Refusal:
    """What of a row cannot be read at all, each at its field and in the person's language."""
    refusal, fields = Refusal(), kind.fields()
    row, twice = as_row(fields, raw)
    for name, key in twice.items():
        refusal.add((name,), fields, gettext("{} stands here twice.").format(key))
    needed = {each.name for each in fields if each.required}
    if kind.name == "stations":
        needed.add("kind")
    for name in sorted(needed if new else ()):
        if not row.get(name):
            refusal.add((name,), fields, gettext(MISSING))
    try:
        read_row(kind.master.row, as_text(row))
    except Unreadable as error:
        for wrong in error.wrong:
            place = "-".join(str(step) for step in wrong.path)
            if place not in refusal.at:
                refusal.add(wrong.path, fields, _expected(fields, wrong.path))
        if not error.wrong:
            refusal.add((), fields, gettext(REFUSALS["malformed"]))
    return refusal


def _expected(fields: Sequence[Field], path: Sequence[str | int]) -> str:
    found: Field | None = None
    for step in path:
        if isinstance(step, str):
            found = next((each for each in fields if each.name == step), found)
            fields = found.columns if found is not None else ()
    if found is None:
        return gettext(REFUSALS["malformed"])
    if found.widget == "number" and found.most is not None:
        return gettext(BETWEEN).format(least=found.least or 0, most=found.most)
    if found.widget == "text" and found.most is not None:
        return gettext(LONG).format(most=found.most) + (f" {gettext(MISSING)}" if found.least else "")
    if found.name == "code":
        return gettext(CODE)
    return gettext(EXPECTED.get(found.widget, REFUSALS["malformed"]))


def sentence_of(kind: str, problem: Problem) -> str:
    """Why a rule refused it. What no rule said, but the reader of files, stays in English behind what it is about."""
    if problem.said is not None:
        return in_words(kind, problem.said)
    own = _in_words(kind, problem.message)
    if (get_language() or "en").startswith("en"):
        return own
    return f"{gettext(REFUSALS.get(problem.code, REFUSALS['malformed']))} ({own})"


def _in_words(kind: str, message: str) -> str:
    """The sentence without the words of machines: members by their labels, words of the domain as people say them."""

    def word(found: re.Match[str]) -> str:
        known = label(kind, found[1])
        return f"“{known}”" if known != found[1].replace("_", " ") else found[0]

    message = _MACHINE.sub(word, message)
    for words in ENUMS.values():
        for value, text in words.items():
            if len(value) > 3 and value in message:
                message = re.sub(rf"\b{value}\b", f"“{gettext(text)}”", message)
    return message


def remarks(kind: Kind, done: SetUp) -> list[str]:
    """What is to be known of rows that were saved."""
    return [in_words(kind.name, said) for said in done.report.remarks]


def save(
    kind: Kind,
    plant: Plant,
    raw: Raw,
    *,
    source: Source,
    new: bool = False,
    seen: str | None = None,
    dry_run: bool = False,
    now: datetime | None = None,
) -> tuple[SetUp, Refusal]:
    """Saves one row, or says why not. `seen` is the digest of the row that the form showed: somebody else's change
    since then raises Changed, and a `new` row whose key is taken raises Exists: under the lock of all who write master
    data, and nothing is written."""
    fields = kind.fields()
    row, _ = as_row(fields, raw)
    key = tidy(str(row.get(kind.master.key, "")))

    def unchanged() -> None:
        found = kind.rows([plant]).filter(**{kind.key: key}).first() if new or seen is not None else None
        if new and found is not None:
            raise Exists
        if seen is not None and (found is None or digest(kind.current(found)) != seen):
            raise Changed

    done = set_up_shop(
        document(plant, {kind.name: [row]}),
        now=now or timezone.now(),
        dry_run=dry_run,
        plant_ids=frozenset({plant.pk}),
        precondition=unchanged,
        source=source,
    )
    refusal = Refusal()
    for problem in done.report.errors:
        refusal.add(problem.member, fields, sentence_of(kind.name, problem))
    refusal.others += [in_words(kind.name, said) for said in done.refused]
    return done, refusal
