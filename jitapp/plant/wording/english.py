"""English around a noun: "a" or "an"."""

from __future__ import annotations

import re
from collections.abc import Sequence

from jitapp.plant.wording.nouns import Noun, Slot, like

_AN = re.compile(r"[aeiou](?!ni[^mn]|ser|sual|tens|ne\b|nce\b|uro)|ho(?:ur|nest)|heir", re.IGNORECASE)
_ONE = re.compile(r"one|once|uni[^mn]|us[ea]|eu", re.IGNORECASE)


def article(noun: str) -> str:
    """The indefinite article before the word."""
    return "an" if _AN.match(noun) and not _ONE.match(noun) else "a"


class English:
    """Nothing but the article agrees."""

    reach = 1

    def narrowed(self, before: Sequence[str], old: Noun, slots: Sequence[Slot], after: str) -> list[Slot]:
        return list(slots)

    def agreed(
        self, before: Sequence[str], old: Noun, new: Noun, slot: Slot, text: str
    ) -> tuple[int, list[str], bool]:
        if before and before[-1].lower() in ("a", "an"):
            return 1, [like(before[-1], article(text))], False
        return 0, [], False

    def follows(self, after: str, old: Noun, new: Noun, slot: Slot) -> str:
        return after
