"""German around a noun: articles, what stands like one, contractions, adjectives, and which case is meant."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from jitapp.plant.wording.nouns import (
    ACCUSATIVE,
    DATIVE,
    GENITIVE,
    NOMINATIVE,
    PLURAL,
    SINGULAR,
    Noun,
    Slot,
    like,
)

_CASES = (NOMINATIVE, ACCUSATIVE, DATIVE, GENITIVE)
_DER = {"m": "der den dem des", "f": "die die der der", "n": "das das dem des", PLURAL: "die die den der"}
_ENDINGS = {"m": "er en em es", "f": "e e er er", "n": "es es em es", PLURAL: "e e en er"}
_EIN = {"m": "- en em es", "f": "e e er er", "n": "- - em es", PLURAL: "e e en er"}
_WEAK = {"m": "e en en en", "f": "e e en en", "n": "e e en en", PLURAL: "en en en en"}
_MIXED = {"m": "er en en en", "f": "e e en en", "n": "es es en en", PLURAL: "en en en en"}
_STRONG = {"m": "er en em en", "f": "e e er er", "n": "es es em en", PLURAL: "e e en er"}
_LIKE_DER = ("dies", "jed", "jen", "welch", "all")
_LIKE_EIN = ("ein", "kein", "mein", "sein", "ihr", "unser")
_JOINED = {
    ("in", "dem"): "im",
    ("in", "das"): "ins",
    ("an", "dem"): "am",
    ("an", "das"): "ans",
    ("zu", "dem"): "zum",
    ("zu", "der"): "zur",
    ("von", "dem"): "vom",
    ("bei", "dem"): "beim",
}
_APART = {joined: pair for pair, joined in _JOINED.items()}
_WITH_DATIVE = frozenset("aus bei mit nach seit von zu gegenüber".split())  # noqa: SIM905
_WITH_ACCUSATIVE = frozenset("für durch ohne um gegen pro".split())  # noqa: SIM905
_WITH_BOTH = frozenset("an auf in neben über unter vor zwischen hinter".split())  # noqa: SIM905
# After these the subject follows.
_BEFORE_SUBJECT = frozenset(
    """ist sind war waren wird werden wurde bleibt steht kann darf muss soll kommt dass weil wenn ob bis wo was wie und
    oder sobald bevor damit als sonst dann jetzt hier geht sich nicht auch nur gehört""".split()  # noqa: SIM905
)
_ADJECTIVE = re.compile(r"[a-zäöüß]{2,}?(?:e|er|en|es|em)")
_ALONE = re.compile(
    r"(?:voll|leer|neu|ander|nächst|brauchbar|verloren|gewählt|angehakt|eingezogen|einmalig|größer|vorgelagert"
    r"|gesammelt|geleert|gedruckt|falsch|eigen|solch|einzeln|erst|wartend|druckend|erlaubt)(?:e|er|en|es|em)"
)


def _row(table: dict[str, str], gender: str, number: str) -> list[str]:
    return ["" if each == "-" else each for each in table[PLURAL if number == PLURAL else gender].split()]


def determiner(lemma: str, gender: str, slot: Slot) -> str:
    """The word in front of a noun of this gender, number and case: `der`, `dies-`, `ein-`, or `in+der`."""
    number, case = slot
    place = _CASES.index(case)
    if "+" in lemma:
        preposition = lemma.partition("+")[0]
        article = _row(_DER, gender, number)[place]
        return _JOINED.get((preposition, article), f"{preposition} {article}")
    if lemma == "der":
        return _row(_DER, gender, number)[place]
    table = _ENDINGS if lemma in _LIKE_DER else _EIN
    return lemma + _row(table, gender, number)[place]


def _lemmas(word: str) -> Iterator[str]:
    """What may be meant by a word that stands like an article."""
    low = word.lower()
    if low in _APART:
        yield f"{_APART[low][0]}+der"
    elif low in ("der", "die", "das", "den", "dem", "des"):
        yield "der"
    else:
        yield from (
            stem for stem in (*_LIKE_DER, *_LIKE_EIN) if re.fullmatch(stem + "(?:e|er|en|es|em)?", low)
        )


def _parsed(before: Sequence[str]) -> tuple[str, list[str], int]:
    """The lemma of the article, the adjectives behind it, and how many words that are."""
    for count in range(min(len(before), 3)):
        word = before[-1 - count]
        adjectives = list(before[len(before) - count :])
        lemma = next(_lemmas(word), "")
        if lemma and all(_ADJECTIVE.fullmatch(each) for each in adjectives):
            return lemma, adjectives, count + 1
    count = 0
    while count < min(len(before), 2) and _ALONE.fullmatch(before[-1 - count].lower()):
        count += 1
    return "", list(before[len(before) - count :]), count


def _adjective(word: str, lemma: str, gender: str, slot: Slot) -> str:
    stem = re.sub(r"(?:er|en|es|em|e)$", "", word)
    table = _STRONG if not lemma else _MIXED if lemma in _LIKE_EIN else _WEAK
    return stem + _row(table, gender, slot[0])[_CASES.index(slot[1])]


class German:
    """Nouns have capitals, so that a verb is never taken for one."""

    reach = 4

    def narrowed(self, before: Sequence[str], old: Noun, slots: Sequence[Slot], after: str) -> list[Slot]:
        lemma, adjectives, count = _parsed(before)
        left = list(slots)
        if lemma:
            word = before[-count].lower()
            left = [slot for slot in left if determiner(lemma, old.gender, slot) == word] or left
        if adjectives:
            fits = [
                slot
                for slot in left
                if all(_adjective(each, lemma, old.gender, slot) == each for each in adjectives)
            ]
            left = fits or left
        ahead = before[: len(before) - count]
        while ahead and (
            ahead[-1] in ("zwei", "drei") or (not ahead[-1].isascii() and not ahead[-1].isalpha())
        ):
            ahead = ahead[:-1]  # a number, or what will be one
        if re.match(r" (?:gibt es)\b", after):
            return sorted(left, key=lambda slot: slot[1] != ACCUSATIVE)
        return _by_case(left, ahead, contracted="+" in lemma)

    def agreed(
        self, before: Sequence[str], old: Noun, new: Noun, slot: Slot, text: str
    ) -> tuple[int, list[str], bool]:
        if new.gender == old.gender or slot[0] == PLURAL:
            return 0, [], False
        lemma, adjectives, count = _parsed(before)
        if not count:
            return 0, [], False
        said = [like(before[-count], determiner(lemma, new.gender, slot))] if lemma else []
        for place, each in enumerate(adjectives):
            word = _adjective(each.lower(), lemma, new.gender, slot)
            said.append(like(before[len(before) - len(adjectives) + place], word))
        return count, said, False

    def follows(self, after: str, old: Noun, new: Noun, slot: Slot) -> str:
        """A relative clause begins with a word that looks like the article."""
        relative = re.match(r", (der|die|das|den|dem)\b", after)
        if relative is None or new.gender == old.gender or slot[0] == PLURAL:
            return after
        cases = [case for case in _CASES if determiner("der", old.gender, (SINGULAR, case)) == relative[1]]
        if not cases:
            return after
        case = (
            ACCUSATIVE
            if ACCUSATIVE in cases and re.match(r", \w+ (?:Sie|niemand|jemand|\ue000)", after)
            else cases[0]
        )
        return f", {determiner('der', new.gender, (SINGULAR, case))}" + after[relative.end() :]


def _by_case(slots: list[Slot], ahead: Sequence[str], *, contracted: bool) -> list[Slot]:
    """Likeliest case first, by what stands before the whole."""
    last = ahead[-1] if ahead else ""
    low = last.lower()
    if contracted:
        return slots
    if low in _WITH_DATIVE:
        order = [DATIVE, GENITIVE]
    elif low in _WITH_ACCUSATIVE:
        order = [ACCUSATIVE]
    elif low in _WITH_BOTH:
        order = [DATIVE, ACCUSATIVE]
    elif not last or low in _BEFORE_SUBJECT:
        order = [NOMINATIVE, ACCUSATIVE]
    elif last[:1].isupper() and low not in ("sie",):
        order = [GENITIVE, NOMINATIVE]
    else:
        order = [ACCUSATIVE, DATIVE]
    rank = {
        case: place for place, case in enumerate([*order, NOMINATIVE, DATIVE, ACCUSATIVE, GENITIVE][::-1])
    }
    return sorted(slots, key=lambda slot: -rank[slot[1]])
