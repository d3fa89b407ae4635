"""From a read to the names under which the thing may be known, and what is said if it is not.

A thing is kept under one spelling (`canonical`) however many carriers say it: an EPC by its pure identity, whatever the
filter value; GS1 keys with their identifiers in brackets, `(8004)4012345KAN7`; licence plates, kanban numbers and
serials of an MH10.8.2 label with their data identifier, `15K4711`; retail numbers as GTIN-14; a card of ours by its
code; everything else as it is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from jitapp.symbology.cardcode import codes_in, looks_like_card_code
from jitapp.symbology.decode import DEFAULT, Site, decode, several_in
from jitapp.symbology.reading import How, Kind, Reading

LONGEST_NAME = 128  # of plant.Identifier
# Keys of GS1 that name one thing and not a kind of things, alone or with the second identifier.
_KEYS = (
    *(("8004", ""), ("8003", ""), ("00", ""), ("01", "21"), ("8006", "21"), ("8010", "8011")),
    *(("253", ""), ("255", ""), ("8017", ""), ("8018", "")),
)
_WITHOUT_SERIAL = {"8003": 14, "253": 13, "255": 13}  # so many digits name a kind of things
_KEYS_OF_PLACES = (("414", "254"), ("414", ""))
# Data identifiers of things: kanban number, licence plates, returnable packaging, serials that are unique anywhere.
_THINGS = ("15K", "6J", "5J", "4J", "3J", "2J", "1J", "J", "55B", "25B", "25S")
_PARTS = ("P", "1P", "30P", "2P")


@dataclass(frozen=True, slots=True)
class Meaning:
    """Under which names to look for what was read, in this order; the answer's code if none of them is a card, and what
    that answer shows."""

    names: tuple[str, ...]
    refusal: str
    shown: str


def meaning_of(raw: str, site: Site = DEFAULT) -> Meaning:
    """What a scan door does with a read. A card code of ours costs no more than finding it."""
    found = codes_in(raw)
    several = several_in(raw, found)
    if several:
        return Meaning((), "two_codes", " + ".join(several))
    if found:
        return Meaning((found[0],), "unknown_card", found[0])
    reading = decode(raw, site)
    text = raw.strip()
    names = [text, *names_of(reading)]
    refusal, shown = _refusal(reading, text)
    return Meaning(tuple(name for name in dict.fromkeys(names) if _may_be_kept(name)), refusal, shown)


def names_of(reading: Reading) -> list[str]:
    """The names under which the thing may be known, the one to keep it under first."""
    names = [name for name in (reading.urn, reading.card, *reading.may_be) if name]
    for first, second in (*_KEYS, *_KEYS_OF_PLACES):
        names += _key(reading.ai, first, second)
    names += [value for value in (reading.ai.get("91", ""),) if value]
    names += list(_things(reading))
    if reading.kind is Kind.GTIN:
        names.append(reading.ai["01"])
    return list(dict.fromkeys(name for name in names if _may_be_kept(name)))


def canonical(reading: Reading) -> str:
    """The name under which to keep the thing that was read; the read itself, without blanks around it, where it is
    nothing that has another."""
    names = names_of(reading)
    return names[0] if names else reading.raw.strip()


def key_of(ai: Mapping[str, str]) -> str:
    """The key of GS1 that names the thing, `(01)09501101530003(21)ABC`; empty if none of these elements is one. What is
    said of the thing besides (a date, a lot) is no part of its name."""
    keys = (_key(ai, first, second) for first, second in (*_KEYS, *_KEYS_OF_PLACES))
    return next((names[0] for names in keys if names), "")


def _key(ai: Mapping[str, str], first: str, second: str) -> list[str]:
    value, more = ai.get(first, ""), ai.get(second, "")
    if not value or (second and not more) or len(value) <= _WITHOUT_SERIAL.get(first, 0):
        return []
    if second:
        return [f"({first}){value}({second}){more}"]
    return [f"({first}){value}", value]


def _things(reading: Reading) -> Iterator[str]:
    for name in _THINGS:
        value = reading.first(name)
        if value:
            yield f"{name}{value}"
            if name == "15K":
                yield value


def _may_be_kept(name: str) -> bool:
    return 0 < len(name) <= LONGEST_NAME and name.isprintable()


def _refusal(reading: Reading, text: str) -> tuple[str, str]:
    """The answer's code, and what it shows, for a read that is no known card."""
    if reading.separators_lost:
        return "separators_lost", text
    if reading.kind is Kind.CARD and reading.how is How.TYPED:
        return "unknown_card", reading.card
    if reading.kind is Kind.EPC:
        return "unknown_card", reading.urn or text
    named = reading.first("15K") or reading.ai.get("8004", "")
    if named:
        return "unknown_card", named
    label = _label(reading)
    if label:
        return "makers_label", label
    # Nothing but a check symbol speaks for a code without KB or through another keyboard: that is no unknown card.
    misread = looks_like_card_code(text) or reading.how is How.LAYOUT
    return ("bad_check" if misread else "not_a_card_code"), text


def _label(reading: Reading) -> str:
    """What a label of somebody else says of itself: its part number, or the first that it says."""
    number = reading.ai.get("01") or reading.ai.get("02")
    if number:
        return f"GTIN {number}"
    return reading.first(*_PARTS) or next(
        (value for value in (*dict(reading.di).values(), *reading.ai.values()) if value), ""
    )
