"""Sentences that keep the pattern and the facts they were made of, so that a page can say them in another language.

Rules refuse in English: `str()` of a sentence is what files, the API and logs say. A page translates the pattern, puts
the facts into it and names members and words of the domain as its forms do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Stated:
    """A pattern with named facts; one with `many` has a form for `count` other than 1.
    A fact may be a word of an enumeration, a sentence, or a tuple of facts."""

    pattern: str
    facts: Mapping[str, object] = field(default_factory=dict)
    many: str = ""
    count: int = 1

    def __str__(self) -> str:
        pattern = self.many if self.many and self.count != 1 else self.pattern
        return pattern.format(**{name: _plain(value) for name, value in self.facts.items()})


def _plain(value: object) -> object:
    return ", ".join(str(each) for each in value) if isinstance(value, tuple) else value


@dataclass(frozen=True, slots=True)
class Members:
    """Members of a row by the names that files use, as a fact of a sentence; in English they stand as they are."""

    names: tuple[str, ...]
    joint: str = ", "

    def __str__(self) -> str:
        return self.joint.join(self.names)


@dataclass(frozen=True, slots=True)
class Chain:
    """Names that follow one another, with words between them: A `is made from` B `is made from` A."""

    names: tuple[str, ...]
    joint: Stated

    def __str__(self) -> str:
        return f" {self.joint} ".join(self.names)


def stated(pattern: str, **facts: object) -> Stated:
    """A sentence; facts that are words of an enumeration stay so, sentences may stand in sentences."""
    return Stated(pattern, facts)


def stated_of(count: int, one: str, many: str, **facts: object) -> Stated:
    """A sentence about a number of things; the number is its fact `n`."""
    return Stated(one, facts | {"n": count}, many, count)


def members(names: Iterable[str], joint: str = ", ") -> Members:
    """Members of a row as a fact."""
    return Members(tuple(names), joint)
