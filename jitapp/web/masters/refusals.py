"""What the rules of master data refuse, in the person's language and in the words of the forms."""

from __future__ import annotations

from enum import StrEnum

from django.utils.translation import get_language, gettext, ngettext
from django.utils.translation import gettext_noop as mark

from jitapp.kanban.stated import Chain, Members, Stated
from jitapp.kanban.worktime import DAYS
from jitapp.pull.actions import Refused
from jitapp.web.masters.words import CALLED, called, day_word, label, word_of

# What a reference leads to: the words of jitapp/plant/masters.
NOUNS = (
    mark("area"),
    mark("calendar"),
    mark("loop"),
    mark("part"),
    mark("person"),
    mark("route"),
    mark("station"),
    mark("supplier"),
)


def in_words(kind: str, said: Stated) -> str:
    """The sentence of a rule about a row of the kind: its pattern translated, its facts in words."""
    facts = {name: _fact(kind, value) for name, value in said.facts.items()}
    if said.many:
        return ngettext(said.pattern, said.many, said.count).format(**facts)
    return gettext(said.pattern).format(**facts)


def refused(refusal: Refused) -> str:
    """Why a loop's rules do not do it; a sentence without facts stays in English behind what it is about."""
    if isinstance(refusal.said, Stated):
        return in_words("loops", refusal.said)
    if (get_language() or "en").startswith("en"):
        return refusal.said
    return f"{gettext('A rule does not allow it.')} ({refusal.said})"


def _fact(kind: str, value: object) -> str:
    if isinstance(value, Stated):
        return in_words(kind, value)
    if isinstance(value, StrEnum):
        return _quoted(word_of(type(value), value))
    if isinstance(value, Members):
        return ", ".join(_quoted(label(kind, name)) for name in value.names)
    if isinstance(value, Chain):
        return f" {in_words(kind, value.joint)} ".join(value.names)
    if isinstance(value, tuple):
        return ", ".join(_fact(kind, each) for each in value)
    if isinstance(value, str) and value in CALLED:
        return _quoted(called(value))
    if isinstance(value, str) and value in DAYS:
        return day_word(value)
    return str(value)


def _quoted(word: str) -> str:
    return f"“{word}”"
