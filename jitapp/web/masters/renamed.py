"""Changes of a site's own words, as people read them in the history of a plant or an area."""

from __future__ import annotations

import json
from collections.abc import Mapping

from django.conf import settings
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as mark

from jitapp.plant.wording.terms import FORMS, TERMS

TERM_WORDS = {
    "bin": mark("Bin: what parts are moved in"),
    "station": mark("Station: where work is done or parts wait"),
    "part": mark("Part: what is moved"),
    "card": mark("Card: what is scanned"),
}


def renamed(before: str, after: str) -> list[tuple[str, str, str]]:
    """Language and term of every word that changed, with one and several of it before and after."""
    old, new = (json.loads(text) if text else {} for text in (before, after))
    names = dict(settings.LANGUAGES)
    found = []
    for language in FORMS:
        for term in TERMS:
            was, now = (each.get(language, {}).get(term, {}) for each in (old, new))
            if was != now:
                title = f"{names.get(language, language)}, {gettext(TERM_WORDS[term])}"
                found.append((title, _both(was), _both(now)))
    return found


def _both(forms: Mapping[str, str]) -> str:
    return ", ".join(text for name in ("singular", "plural") if (text := forms.get(name)))
