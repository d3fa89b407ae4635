"""Puts a site's words into sentences of the product in place of the house's. Pure.

Only the catalogue's own texts come here, never what people typed: what stands in for `{part}` is filled in later, and
placeholders, tags and code between backticks are left alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache

from jitapp.plant.wording.english import English
from jitapp.plant.wording.german import German
from jitapp.plant.wording.nouns import PLURAL, SINGULAR, Grammar, Noun, Slot, like, noun_of
from jitapp.plant.wording.polish import Polish
from jitapp.plant.wording.romance import Romance
from jitapp.plant.wording.senses import COMPOUNDS, OTHER_SENSE, SHARED, SLOTS
from jitapp.plant.wording.terms import HOUSE, Forms

Rewrite = Callable[[str, str], str]

GRAMMARS: Mapping[str, Grammar] = {
    "en": English(),
    "de": German(),
    "es": Romance("es"),
    "fr": Romance("fr"),
    "pl": Polish(),
}
_HELD = re.compile(r"\{[^{}]*\}|%\(\w+\)[sd]|<[^<>]*>|`[^`]*`")
# An elided article is a word of its own.
_WORD = re.compile("[\\w]+['’]|[\\w\\-\ue000-\uf8ff]+")
_MARK = "\ue000"  # begins what is put back afterwards; no text has it


def rewriter(language: str, words: Mapping[str, Forms]) -> Rewrite:
    """A function of an English sentence and its text in the language, which gives the text with these words by term."""
    nouns = {term: noun_of(language, forms) for term, forms in words.items()}
    found = _pattern(language, tuple(sorted(nouns)))

    def rewrite(english: str, text: str) -> str:
        if not found.search(text):
            return text
        meant = {term: _numbers(english, term) for term in nouns}
        held: list[str] = []

        def put_aside(match: re.Match[str]) -> str:
            held.append(match[0])
            return f"{_MARK}{chr(0xE001 + len(held))}"

        aside = _HELD.sub(put_aside, text)
        aside = _senses(language).sub(put_aside, aside)
        aside = _all(language, nouns, found, aside, meant)
        for place in range(len(held), 0, -1):
            aside = aside.replace(f"{_MARK}{chr(0xE001 + place)}", held[place - 1])
        return aside

    return rewrite


def _all(
    language: str, nouns: Mapping[str, Noun], found: re.Pattern[str], text: str, meant: Mapping[str, set[str]]
) -> str:
    """From the front to the back; what was put in is not looked at again."""
    done = ""
    while match := found.search(text):
        term, old, compound = _named(language, match[0], tuple(nouns))
        if old is None or (term in SHARED.get(language, ()) and not meant[term]):
            done, text = done + text[: match.end()], text[match.end() :]
            continue
        head, rest = done + text[: match.start()], text[match.end() :]
        front, back = compound or ("", "")
        if back:
            done, text = head + like(match[0], front + nouns[term].compound + back), rest
            continue
        inner = match[0][len(front) :]
        done, text = _replaced(
            language, (old, nouns[term]), (match[0][: len(front)], inner), (head, rest), meant[term]
        )
    return done + text


def _replaced(
    language: str, nouns: tuple[Noun, Noun], text: tuple[str, str], around: tuple[str, str], numbers: set[str]
) -> tuple[str, str]:
    """The text up to and with the new noun, and the text behind it. `text` is what begins the word and the noun."""
    old, new = nouns
    head, rest = around
    begins, noun = text
    hyphened = re.search(r"\w+-\Z", head) if language == "de" else None
    if hyphened:
        head, begins = head[: hyphened.start()], hyphened[0]
    grammar = GRAMMARS[language]
    before, at = _before(head, grammar.reach)
    slot = _slot(language, grammar, (before, rest), old, noun, numbers)
    word = begins + (new.forms[slot].lower() if begins and not hyphened else like(noun, new.forms[slot]))
    count, said, joins = grammar.agreed(before, old, new, slot, word)
    if count:
        head = head[: at[-count]] + " ".join(said).replace("' ", "'") + ("" if joins else " ")
    return head + word, grammar.follows(rest, old, new, slot)


def _slot(
    language: str, grammar: Grammar, around: tuple[list[str], str], old: Noun, text: str, numbers: set[str]
) -> Slot:
    """The number and case that are meant."""
    slots = grammar.narrowed(around[0], old, old.slots(text), around[1])
    said = f"{' '.join(around[0])} {text}".lower()
    for end, slot in SLOTS.get(language, {}).items():
        if said.endswith(end) and slot in old.slots(text):
            return slot
    by_number = [slot for slot in slots if slot[0] in numbers]
    return (by_number or slots)[0]


def _before(head: str, reach: int) -> tuple[list[str], list[int]]:
    """The words right before, with nothing but blanks between them, and where each begins."""
    words: list[str] = []
    at: list[int] = []
    clause = re.split(r"[.:;,!?()–—„“”«»|\"\0\n/]", head)[-1]
    start = len(head) - len(clause)
    for match in list(_WORD.finditer(clause))[-reach:]:
        words.append(match[0])
        at.append(start + match.start())
    if words and not re.fullmatch(r"\s?", head[at[-1] + len(words[-1]) :]):
        return [], []
    return words, at


def _numbers(english: str, term: str) -> set[str]:
    """Whether the English sentence has the term, and in which number."""
    plain = _senses("en").sub("", _HELD.sub("", english)).lower()
    found: set[str] = set()
    for own in HOUSE["en"][term]:
        for number, name in ((SINGULAR, "singular"), (PLURAL, "plural")):
            if re.search(rf"\b{own[name]}\b", plain):
                found.add(number)
    return found


@cache
def _senses(language: str) -> re.Pattern[str]:
    """Where a house word means something else."""
    phrases = sorted(OTHER_SENSE.get(language, ()), key=len, reverse=True)
    return re.compile("|".join(rf"\b{re.escape(phrase)}\b" for phrase in phrases) or r"(?!)", re.IGNORECASE)


@cache
def _house(language: str) -> Mapping[str, tuple[Noun, ...]]:
    return {term: tuple(noun_of(language, each) for each in own) for term, own in HOUSE[language].items()}


@cache
def _pattern(language: str, terms: tuple[str, ...]) -> re.Pattern[str]:
    """Every form of the house's words for these terms, alone or in the longer words that are known."""
    forms: set[str] = set()
    for term in terms:
        for noun in _house(language)[term]:
            forms |= {re.escape(form) for form in noun.forms.values()}
        forms |= {
            re.escape(front + middle + back)
            for front, middle, back in COMPOUNDS.get(language, {}).get(term, ())
        }
    if not forms:
        return re.compile(r"(?!)")
    body = "|".join(sorted(forms, key=len, reverse=True))
    # German nouns have a capital; their verbs and particles (teil, stationär) have none.
    both = body if language != "de" else "|".join((body, body.upper()))
    if language == "de":
        return re.compile(rf"(?<!\w)(?:{both})(?!\w)")
    return re.compile(rf"(?<!\w)(?:{both})(?!\w)", re.IGNORECASE)


@cache
def _named(
    language: str, text: str, terms: tuple[str, ...]
) -> tuple[str, Noun | None, tuple[str, str] | None]:
    """The term and the house's noun that a text is a form of; of a longer word what stands around the noun."""
    low = text.lower()
    for term in terms:
        for front, middle, back in COMPOUNDS.get(language, {}).get(term, ()):
            if low == (front + middle + back).lower():
                return term, _house(language)[term][0], (front, back)
        for noun in _house(language)[term]:
            if noun.slots(text):
                return term, noun, None
    return "", None, None
