"""Polish around a noun: there are no articles, but cases, and adjectives and verbs that agree."""

from __future__ import annotations

import re
from collections.abc import Sequence

from jitapp.plant.wording.nouns import (
    ACCUSATIVE,
    DATIVE,
    GENITIVE,
    INSTRUMENTAL,
    LOCATIVE,
    NOMINATIVE,
    PLURAL,
    Noun,
    Slot,
    like,
)

_CASES = (NOMINATIVE, GENITIVE, DATIVE, ACCUSATIVE, INSTRUMENTAL, LOCATIVE)
_HARD = {
    "m": "y ego emu y ym ym",
    "f": "a ej ej ą ą ej",
    "n": "e ego emu e ym ym",
    PLURAL: "e ych ym e ymi ych",
}
_SOFT = {  # after k and g
    "m": "i iego iemu i im im",
    "f": "a iej iej ą ą iej",
    "n": "ie iego iemu ie im im",
    PLURAL: "ie ich im ie imi ich",
}
_TEN = {
    "m": "ten tego temu ten tym tym",
    "f": "ta tej tej tę tą tej",
    "n": "to tego temu to tym tym",
    PLURAL: "te tych tym te tymi tych",
}
_OWN = {
    "m": "ój ojego ojemu ój oim oim",
    "f": "oja ojej ojej oją oją ojej",
    "n": "oje ojego ojemu oje oim oim",
    PLURAL: "oje oich oim oje oimi oich",
}
_WHOLE = {
    "żaden": {"m": "żaden żadnego żadnemu żaden żadnym żadnym", "f": "żadna żadnej żadnej żadną żadną żadnej",
              "n": "żadne żadnego żadnemu żadne żadnym żadnym", PLURAL: "żadne żadnych żadnym żadne żadnymi żadnych"},
    "jeden": {"m": "jeden jednego jednemu jeden jednym jednym", "f": "jedna jednej jednej jedną jedną jednej",
              "n": "jedno jednego jednemu jedno jednym jednym", PLURAL: "jedne jednych jednym jedne jednymi jednych"},
    "nasz": {"m": "nasz naszego naszemu nasz naszym naszym", "f": "nasza naszej naszej naszą naszą naszej",
             "n": "nasze naszego naszemu nasze naszym naszym", PLURAL: "nasze naszych naszym nasze naszymi naszych"},
}  # fmt: skip
_STEMS_HARD = (
    "pełn", "pust", "now", "inn", "każd", "następn", "kolejn", "pierwsz", "ostatni", "właściw", "zgubion", "zeskanowan",
    "wydrukowan", "wybran", "wolniejsz", "któr", "dan", "zaznaczon", "zwrócon", "otwart", "zablokowan", "wstrzyman",
    "wycofan", "znan", "zamówion", "potrzebn", "używan", "zajęt", "gotow", "opróżnion", "napełnion", "jednorazow",
    "większ", "zł", "zebran", "dodan", "odebran", "przyjęt", "zużyt", "sam", "stał", "drukowan",
)  # fmt: skip
_STEMS_SOFT = ("jak", "tak", "drug", "wszystk", "wielk")
_PAST = re.compile(r"((?: (?:już|nie|jeszcze|się|tam|tu|więcej|coś))* )(\w{2,}?)ł(a|o|)(?!\w)")
_RELATIVE = re.compile(r"(, (?:(?:na|w|do|z|ze|przy|od|dla|po|o) )?)(któr\w+)")
_BEHIND = re.compile(r"((?: (?:już|nie|jeszcze|jest|był[ao]?|został[ao]?))* )(\w+)(?= ?[.,:;!?|]|\Z| \w)")
_PARTICIPLE = re.compile(r"\w+ąc(?:y|a|e|ego|ej|emu|ą|ym|ych|ymi)")
_AGREES = {"m": "", "f": "a", "n": "o"}
_LOCATIVES = frozenset("w we na o po przy".split())  # noqa: SIM905
_GENITIVES = frozenset("do z ze od dla bez u obok oprócz spod według podczas nie brak brakuje niż ma".split())  # noqa: SIM905
_INSTRUMENTALS = frozenset("z ze między nad pod przed za jest są".split())  # noqa: SIM905
_ACCUSATIVES = frozenset("na w przez za pod".split())  # noqa: SIM905
_SUBJECTS = frozenset("że gdy jeśli czy aż to jest gdzie jak zanim kiedy bo więc są było był".split())  # noqa: SIM905


def _forms(word: str) -> list[tuple[str, str, dict[str, str]]]:
    """What a word may be: its beginning, its ending, and the table of endings; whole words have no beginning."""
    low = word.lower()
    found: list[tuple[str, str, dict[str, str]]] = []
    for table in (_TEN, *_WHOLE.values()):
        if any(low in row.split() for row in table.values()):
            found.append(("", low, table))
    tamten = low[3:] if low.startswith("tam") else ""
    if tamten and any(tamten in row.split() for row in _TEN.values()):
        found.append(("tam", tamten, _TEN))
    for begin in ("m", "tw", "sw"):
        if low.startswith(begin) and any(low[len(begin) :] in row.split() for row in _OWN.values()):
            found.append((begin, low[len(begin) :], _OWN))
    for stems, table in ((_STEMS_HARD, _HARD), (_STEMS_SOFT, _SOFT)):
        for stem in stems:
            if low.startswith(stem) and any(low[len(stem) :] in row.split() for row in table.values()):
                found.append((stem, low[len(stem) :], table))
    participle = low.find("ąc")
    if _PARTICIPLE.fullmatch(low):
        found.append((low[: participle + 2], low[participle + 2 :], _HARD))
    return found


def _slots_of(word: str, gender: str) -> set[Slot] | None:
    """The slots in which the word stands with a noun of this gender; None for a word that does not agree."""
    kinds = _forms(word)
    if not kinds:
        return None
    found: set[Slot] = set()
    for _begin, ending, table in kinds:
        for number, row in (("s", table[gender]), (PLURAL, table[PLURAL])):
            found |= {(number, _CASES[place]) for place, each in enumerate(row.split()) if each == ending}
    return found


def _put(word: str, gender: str, slot: Slot) -> str:
    begin, _, table = _forms(word)[0]
    row = table[PLURAL if slot[0] == PLURAL else gender].split()
    return like(word, begin + row[_CASES.index(slot[1])])


class Polish:
    """The case is read off what agrees, then off the preposition, then off the place in the sentence."""

    reach = 3

    def narrowed(self, before: Sequence[str], old: Noun, slots: Sequence[Slot], after: str) -> list[Slot]:
        left, count = list(slots), 0
        for word in reversed(before[-2:]):
            fits = _slots_of(word, old.gender)
            if fits is None:
                break
            left = [slot for slot in left if slot in fits] or left
            count += 1
        ahead = before[: len(before) - count]
        last = ahead[-1].lower() if ahead else ""
        return sorted(left, key=lambda slot: -_likely(slot, last))

    def agreed(
        self, before: Sequence[str], old: Noun, new: Noun, slot: Slot, text: str
    ) -> tuple[int, list[str], bool]:
        if new.gender == old.gender:
            return 0, [], False
        said: list[str] = []
        for word in reversed(before[-2:]):
            fits = _slots_of(word, old.gender)
            if fits is None or slot not in fits:
                break
            said.insert(0, _put(word, new.gender, slot))
        return len(said), said, False

    def follows(self, after: str, old: Noun, new: Noun, slot: Slot) -> str:
        if new.gender == old.gender or slot[0] == PLURAL:
            return after
        relative = _RELATIVE.match(after)
        if relative:
            fits = [each for each in _CASES if (slot[0], each) in (_slots_of(relative[2], old.gender) or ())]
            if relative[1].split()[-1] in _LOCATIVES and LOCATIVE in fits:
                fits = [LOCATIVE]
            if fits:
                return (
                    relative[1] + _put(relative[2], new.gender, (slot[0], fits[0])) + after[relative.end() :]
                )
        past = _PAST.match(after)
        if past and past[3] == _AGREES[old.gender] and slot[1] == NOMINATIVE:
            after = past[1] + _past(past[2], new.gender) + after[past.end() :]
        return _behind(after, old, new, slot)


def _past(stem: str, gender: str) -> str:
    """A verb of the past, as it stands with a noun of this gender."""
    stem = {"przyszed": "przysz", "wyszed": "wysz"}.get(stem, stem)
    if stem.endswith(("ą", "ę")):
        stem = stem[:-1] + ("ą" if gender == "m" else "ę")
    if gender == "m":
        stem = {"przysz": "przyszed", "wysz": "wyszed"}.get(stem, stem)
    return f"{stem}ł{_AGREES[gender]}"


def _behind(after: str, old: Noun, new: Noun, slot: Slot) -> str:
    """An adjective behind a verb or at the end, and a participle, agree with the noun."""
    found = _BEHIND.match(after)
    if found is None or found[2] == "to":
        return after
    verb = bool(re.search(r"jest|był|został", found[1]))
    ends = not re.match(r" ?\w", after[found.end() :])
    fits = _slots_of(found[2], old.gender)
    near = (slot[0], NOMINATIVE) if verb else slot
    if not fits or near not in fits or not (verb or ends or _PARTICIPLE.fullmatch(found[2])):
        return after
    return found[1] + _put(found[2], new.gender, near) + after[found.end() :]


def _likely(slot: Slot, last: str) -> int:
    """How likely a slot is after the word."""
    case, plural = slot[1], slot[0] == PLURAL
    if last in _LOCATIVES and case == LOCATIVE:
        return 9
    if last in ("do", "od", "dla", "bez", "u", "obok", "oprócz", "według") and case == GENITIVE:
        return 9
    if last in _ACCUSATIVES and case == ACCUSATIVE:
        return 8
    if last in _INSTRUMENTALS and case == INSTRUMENTAL:
        return 7
    if last in _GENITIVES and case == GENITIVE:
        return 7
    if last[:1] == "\ue000" and case == GENITIVE and not plural:
        return 6
    if not last or last in _SUBJECTS:
        return {NOMINATIVE: 6, ACCUSATIVE: 5, GENITIVE: 3}.get(case, 1)
    return {ACCUSATIVE: 5, GENITIVE: 5 if not plural else 2, NOMINATIVE: 4, DATIVE: 0}.get(case, 1)
