"""Where a house word means something else, the longer words that hold one, and forms whose case only the sentence
tells. Pure data, kept with the catalogues."""

from __future__ import annotations

from collections.abc import Mapping

from jitapp.plant.wording.nouns import ACCUSATIVE, GENITIVE, NOMINATIVE, PLURAL, SINGULAR, Slot

# These words also mean something else in the language: they are the term only where the English sentence has it.
SHARED: Mapping[str, frozenset[str]] = {"es": frozenset({"part"}), "fr": frozenset({"part"})}
# Phrases that keep their word.
OTHER_SENSE: Mapping[str, tuple[str, ...]] = {
    "en": (
        "takes part",
        "take part",
        "takes no part",
        "part of the plant",
        "the containers start it again",
        "bank card",
    ),
    "de": ("Ein Teil des Scans", "ein Teil des Werks", "die Container"),
    "pl": ("część jest uszkodzona", "części sztuki", "część zakładu"),
}
# What stands before the noun, the form of it, and what stands behind.
COMPOUNDS: Mapping[str, Mapping[str, tuple[tuple[str, str, str], ...]]] = {
    "de": {
        "card": (
            ("", "Karten", "code"),
            ("", "Karten", "codes"),
            ("", "Karten", "kasten"),
            ("Entnahme", "karte", ""),
            ("Entnahme", "karten", ""),
            ("Befehls", "karte", ""),
            ("Befehls", "karten", ""),
        ),
        "station": (("", "Stations", "schilder"), ("", "Stations", "schild")),
        "part": (("", "Teile", "familie"), ("", "Teile", "nummer")),
    },
}
# Ends of texts, in small letters, up to the noun.
SLOTS: Mapping[str, Mapping[str, Slot]] = {
    "de": {
        "bereich oder diese station": (SINGULAR, ACCUSATIVE),
        "welches teil": (SINGULAR, ACCUSATIVE),
    },
    "pl": {
        "co robi stanowisko": (SINGULAR, NOMINATIVE),
        "należy stanowisko": (SINGULAR, NOMINATIVE),
        "przezbraja się stanowisko": (SINGULAR, NOMINATIVE),
        "rodzina części": (PLURAL, GENITIVE),
        "rodzinę części": (PLURAL, GENITIVE),
        "zdjęcia części": (PLURAL, GENITIVE),
    },
}
