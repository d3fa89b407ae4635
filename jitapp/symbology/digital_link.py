"""GS1 Digital Link: element strings in an address, `https://id.gs1.org/01/09501101530003/10/ABC?17=290331`.

Rules of the GS1 Digital Link Standard (URI Syntax 1.6) as the GS1 Syntax Engine (Apache-2.0) checks them: the rightmost
primary key in the path counts, its qualifiers follow in their order, other identifiers stand in the query, nothing
twice. What breaks them is read as far as it can be and named.
"""

from __future__ import annotations

import re
from urllib.parse import unquote, unquote_plus

from jitapp.symbology.ascii import is_digits
from jitapp.symbology.checks import GTIN_LENGTHS, gtin14
from jitapp.symbology.gs1 import Elements, identifiers, read_pairs

_ADDRESS = re.compile(
    r"(https?)://([^/?#]*)([^?#]*)(?:\?([^#]*))?(?:#.*)?", re.IGNORECASE | re.ASCII | re.DOTALL
)
_HOST = re.compile(r"[A-Za-z0-9._~:@-]*[A-Za-z0-9._~-](?::[0-9]+)?|\[[0-9A-Fa-f:.]+\](?::[0-9]+)?")
_ALLOWED = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]*")
# Primary keys and the qualifiers that may follow each, in their order (dlpkey in the GS1 Syntax Dictionary).
KEYS: dict[str, tuple[tuple[str, ...], ...]] = {
    "00": ((),),
    "01": (("22", "10", "21"), ("235",)),
    "253": ((),),
    "255": ((),),
    "401": ((),),
    "402": ((),),
    "414": (("254",), ("7040",)),
    "415": (("8020",),),
    "417": (("7040",),),
    "8003": ((),),
    "8004": (("7040",),),
    "8006": (("22", "10", "21"),),
    "8010": (("8011",),),
    "8013": ((),),
    "8017": (("8019",),),
    "8018": (("8019",),),
}
_SHORT_NAMES = {
    "gtin": "01",
    "sscc": "00",
    "ser": "21",
    "lot": "10",
    "cpv": "22",
    "giai": "8004",
    "grai": "8003",
}
# Identifiers that never stand in a query: those that the dictionary does not mark as attributes.
_IN_THE_PATH = frozenset(
    {
        "21",
        "22",
        "235",
        "254",
        "7040",
        "7041",
        "8011",
        "8014",
        "8019",
        "8020",
        "8040",
        "8041",
        "8042",
        "8043",
        "8200",
    }
)


def is_address(text: str) -> bool:
    """Whether the text is an http address."""
    return _ADDRESS.fullmatch(text) is not None


def read_digital_link(text: str) -> Elements | None:
    """The elements of an address; None if its path names no primary key of GS1.

    A key whose value no such key can have gives no elements at all: `/2024/01/news` is an address of something else.
    """
    address = _ADDRESS.fullmatch(text)
    if address is None:
        return None
    scheme, host, path, query = address.groups()
    pairs, problems = _path(path)
    if not pairs:
        return None
    if scheme not in ("http", "https", "HTTP", "HTTPS"):
        problems.append(f"{scheme} is written in upper and lower case.")
    if not _HOST.fullmatch(host):
        problems.append(f"{host or 'nothing'} is no name of a host.")
    if not _ALLOWED.fullmatch(text):
        problems.append("The address holds characters that no address may hold.")
    attributes, more = _query(query or "", pairs)
    elements = read_pairs(_full_length(pairs + attributes, problems))
    if pairs[0][0] not in elements.ai:
        return Elements((), elements.problems)
    return Elements(elements.found, (*problems, *more, *elements.problems))


def _path(path: str) -> tuple[list[tuple[str, str]], list[str]]:
    """The rightmost key of the path with what follows it, and what is wrong; no pairs if there is no key."""
    places = path.split("/")[1:]
    problems: list[str] = []
    key = _key(places)
    if key is None and places and not places[-1]:
        problems.append("The address ends with a slash.")
        places = places[:-1]
        key = _key(places)
    if key is None:
        return [], []
    pairs = [
        (_SHORT_NAMES.get(places[place], places[place]), unquote(places[place + 1], errors="replace"))
        for place in range(key, len(places), 2)
    ]
    problems += [
        f"{name} is no application identifier of GS1." for name in places[key::2] if name in _SHORT_NAMES
    ]
    following = [ai for ai, _ in pairs[1:]]
    if not any(_in_order(following, allowed) for allowed in KEYS[pairs[0][0]]):
        problems.append(f"{', '.join(following)} cannot follow {pairs[0][0]} in that order.")
    return pairs, problems


def _key(places: list[str]) -> int | None:
    """Where the rightmost primary key stands: pairs of an identifier and a value are taken from the end."""
    for place in range(len(places) - 2, -1, -2):
        name = _SHORT_NAMES.get(places[place], places[place])
        if name in KEYS:
            return place
        if not is_digits(name) and places[place] not in _SHORT_NAMES:
            return None
    return None


def _in_order(following: list[str], allowed: tuple[str, ...]) -> bool:
    left = iter(allowed)
    return all(ai in left for ai in following)


def _query(query: str, pairs: list[tuple[str, str]]) -> tuple[list[tuple[str, str]], list[str]]:
    """The identifiers of the query; other parameters are whose resolver it is."""
    found: list[tuple[str, str]] = []
    problems: list[str] = []
    taken = {ai for ai, _ in pairs}
    # A qualifier of the key belongs in the path, unless the path has chosen the other set of them.
    sets = [allowed for allowed in KEYS[pairs[0][0]] if taken.intersection(allowed)] or KEYS[pairs[0][0]]
    misplaced = _IN_THE_PATH.union(*sets)
    for parameter in query.split("&"):
        name, sign, value = parameter.partition("=")
        if not sign or not is_digits(name):
            continue
        if name in taken:
            problems.append(f"AI {name} stands there twice.")
            continue
        if name in misplaced and name in identifiers():
            problems.append(f"AI {name} belongs in the path of the address, not in its query.")
        taken.add(name)
        found.append((name, unquote_plus(value, errors="replace")))
    return found, problems


def _full_length(pairs: list[tuple[str, str]], problems: list[str]) -> list[tuple[str, str]]:
    """GTINs of 8, 12 and 13 digits were allowed until 2022: read as the number they are, and named."""
    full: list[tuple[str, str]] = []
    for ai, value in pairs:
        number = gtin14(value) if ai == "01" and len(value) in GTIN_LENGTHS - {14} else None
        if number is not None:
            problems.append(f"AI {ai}: {value} has {len(value)} digits instead of 14.")
        full.append((ai, number or value))
    return full
