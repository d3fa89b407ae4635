"""ISO/IEC 15434 messages with MH10.8.2 data identifiers, as labels really carry them and scanners really send them.

    [)> RS 06 GS P12345 GS Q10 GS 15KKB... RS EOT

Written from the public descriptions of the syntax; there was no Python library for it. Distributors leave the trailer
off; older labels begin `>[)>06` and have lost their first RS; fields are empty and keep their place; scanners send the
separators as control pictures, as `{GS}` or `^]`, or not at all. Without separators a label cannot be divided (a part
number may hold what looks like an identifier), so that is refused and named.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from jitapp.symbology.gs1 import Element, read_elements

FS, GS, RS, US, EOT = "\x1c", "\x1d", "\x1e", "\x1f", "\x04"
HEADER = "[)>"
_BEGIN = re.compile(r">?\[\)>")
# How separators arrive: control pictures of Unicode, names in braces, caret notation. FNC1 stands for GS.
_STANDINS = {
    GS: ("\u241d", "{GS}", "<GS>", "^]", "{FNC1}", "<FNC1>"),
    RS: ("\u241e", "{RS}", "<RS>", "^^"),
    EOT: ("\u2404", "{EOT}", "<EOT>", "^D"),
    FS: ("\u241c", "{FS}", "<FS>"),
    US: ("\u241f", "{US}", "<US>"),
}
_MEANT = {standin: control for control, standins in _STANDINS.items() for standin in standins}
_ANY_STANDIN = re.compile("|".join(map(re.escape, _MEANT)))
_FIELD = re.compile(r"([0-9]{0,3}[A-Z])(.*)", re.DOTALL)
_TEXT_ELEMENT = re.compile(r"([A-Z]{3}) (.*)", re.DOTALL)
_BINARY = "09"
LOST = (
    "The separators are missing: this scanner does not send GS and RS. "
    "Set it to send control characters; the label cannot be read without."
)


@dataclass(frozen=True, slots=True)
class Envelope:
    """What a message holds: data identifiers in their order (empty values too), GS1 elements, and content that is kept
    as it is. `lost` says that the separators are missing."""

    di: tuple[tuple[str, str], ...] = ()
    elements: tuple[Element, ...] = ()
    other: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    lost: bool = False


def with_separators(text: str) -> str:
    """The text with real separators, where a scanner sent what stands for them and no real one."""
    if GS in text or RS in text:
        # Only what stands at the beginning for FNC1 is meant besides.
        begin = _ANY_STANDIN.match(text)
        return GS + text[begin.end() :] if begin is not None and _MEANT[begin[0]] == GS else text
    return _ANY_STANDIN.sub(lambda found: _MEANT[found[0]], text)


def _any_of(control: str) -> str:
    return "|".join(map(re.escape, _STANDINS[control]))


_BEGINS = re.compile(_any_of(RS))
_ENDS = re.compile(rf"(?:{_any_of(RS)})(?:{EOT}|{_any_of(EOT)})?$|{RS}(?:{_any_of(EOT)})$")


def _mixed(body: str) -> str:
    """A message whose scanner sends some of the controls as they are and names of the others: what stands for RS and
    EOT is meant where every message has them, what stands for GS if there is no real one."""
    if GS not in body:
        for standin in _STANDINS[GS]:
            body = body.replace(standin, GS)
    begin = _BEGINS.match(body)
    return _ENDS.sub(RS + EOT, RS + body[begin.end() :] if begin is not None else body)


def read_envelope(text: str) -> Envelope | None:
    """The content of a message; None if the text does not begin like one."""
    begin = _BEGIN.match(text)
    if begin is None:
        return None
    body = _mixed(with_separators(text[begin.end() :]))
    if GS not in body and RS not in body:
        return Envelope(problems=(LOST,), lost=True) if len(body.strip(EOT)) > 2 else _cut_short()
    body = body.removeprefix(RS)
    parts = [part for part in _formats(body) if part.strip(EOT + "\r\n ")]
    return _joined([_format(part.rstrip(EOT)) for part in parts]) if parts else _cut_short()


def _cut_short() -> Envelope:
    return Envelope(problems=("The message ends behind its header.",))


def _formats(body: str) -> Iterator[str]:
    """The envelopes of a message, divided at RS; binary content is taken by its length, whatever it holds."""
    while body:
        size = _binary_size(body)
        end = body.find(RS, size)
        if end < 0:
            yield body
            return
        yield body[:end]
        body = body[end + 1 :]


def _binary_size(body: str) -> int:
    """How many characters an envelope of binary data has: 09 GS type GS compression GS length GS data."""
    fields = body.split(GS, 4)
    if fields[0] != _BINARY or len(fields) < 5 or not re.fullmatch("[0-9]{1,6}", fields[3]):
        return 0
    return sum(len(field) + 1 for field in fields[:4]) + int(fields[3])


def _format(part: str) -> Envelope:
    number, content = part[:2], part[2:]
    if not re.fullmatch("[0-9]{2}", number):
        return Envelope(problems=(f"{number or 'Nothing'} stands where the number of a format should.",))
    if number in ("05", "06", "12"):
        if not content.startswith(GS):
            return Envelope(problems=(f"No separator stands behind format {number}.",))
        if not content.strip(GS):
            return Envelope(problems=(f"There is nothing in format {number}.",))
    if number == "05":
        elements = read_elements(content)
        return Envelope(elements=elements.found, problems=elements.problems)
    if number == "06":
        return _fields(content.removeprefix(GS), _FIELD)
    if number == "12":
        return _fields(content.removeprefix(GS), _TEXT_ELEMENT)
    return Envelope(other=(content,))


def _fields(content: str, shape: re.Pattern[str]) -> Envelope:
    """The fields of a format whose fields begin with an identifier, read once from the left; HIBC content begins with
    + and has none. What has no text element identifier is text."""
    pairs: list[tuple[str, str]] = []
    other: list[str] = []
    problems: list[str] = []
    for field in content.split(GS):
        found = shape.fullmatch(field)
        if found is not None:
            pairs.append((found[1], found[2]))
        elif field.startswith("+") or (field and shape is _TEXT_ELEMENT):
            other.append(field)
        elif field:
            problems.append(f"{field} begins with no data identifier.")
    return Envelope(tuple(pairs), (), tuple(other), tuple(problems))


def _joined(formats: list[Envelope]) -> Envelope:
    return Envelope(
        tuple(pair for one in formats for pair in one.di),
        tuple(element for one in formats for element in one.elements),
        tuple(text for one in formats for text in one.other),
        tuple(problem for one in formats for problem in one.problems),
    )


def read_single(text: str, switched_on: frozenset[str]) -> tuple[str, str] | None:
    """The data identifier and the value of a symbol that holds one field (AIAG B-10, Odette), if the site has switched
    that identifier on; None for everything else. The longest identifier counts: `1P` before `P`."""
    found = _FIELD.fullmatch(text)
    return (found[1], found[2]) if found is not None and found[1] in switched_on and found[2] else None
