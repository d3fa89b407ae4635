"""Words for tests: those of the demonstration's everyday supplies, and others of which each has another gender than
ours."""

from __future__ import annotations

from pathlib import Path

import yaml

from jitapp.plant.wording.kept import cleaned
from jitapp.plant.wording.terms import FORMS

DEMO = Path(__file__).parents[2] / "jitapp" / "workshop" / "demo" / "shop.yaml"


def of_the_demonstration() -> dict[str, dict[str, dict[str, str]]]:
    areas = yaml.safe_load(DEMO.read_text())["plants"][0]["areas"]
    words, wrong = cleaned(next(area["words"] for area in areas if area["code"] == "supplies"))
    assert wrong == []
    return words


def forms(language: str, words: str, gender: str = "") -> dict[str, str]:
    """The forms in the order of the language; a dash is left out."""
    found = dict(zip((form.name for form in FORMS[language]), words.split(), strict=True))
    return ({"gender": gender} if gender else {}) | {
        name: text for name, text in found.items() if text != "-"
    }


OTHERS = {
    "en": {
        "bin": forms("en", "urn urns"),
        "station": forms("en", "alcove alcoves"),
        "part": forms("en", "utensil utensils"),
        "card": forms("en", "emblem emblems"),
    },
    "de": {
        "bin": forms("de", "Schublade Schublade - - Schubladen Schubladen Schubladen", "f"),
        "station": forms("de", "Schrank Schranks - - Schränke Schränken -", "m"),
        "part": forms("de", "Ware Ware - - Waren Waren Waren", "f"),
        "card": forms("de", "Etikett Etiketts - - Etiketten Etiketten Etiketten", "n"),
    },
    "es": {
        "bin": forms("es", "bandeja bandejas", "f"),
        "station": forms("es", "vitrina vitrinas", "f"),
        "part": forms("es", "artículo artículos", "m"),
        "card": forms("es", "rótulo rótulos", "m"),
    },
    "fr": {
        "bin": forms("fr", "urne urnes", "f"),
        "station": forms("fr", "armoire armoires", "f"),
        "part": forms("fr", "article articles", "m"),
        "card": forms("fr", "écriteau écriteaux", "m"),
    },
    "pl": {
        "bin": forms(
            "pl", "szuflada szuflady szufladzie szufladę szufladą szufladzie szuflady szuflad szufladom szufladami"
            " szufladach", "f",
        ),
        "station": forms(
            "pl", "szafka szafki szafce szafkę szafką szafce szafki szafek szafkom szafkami szafkach", "f"
        ),
        "part": forms(
            "pl", "artykuł artykułu artykułowi artykuł artykułem artykule artykuły artykułów artykułom artykułami"
            " artykułach", "m",
        ),
        "card": forms(
            "pl", "znacznik znacznika znacznikowi znacznik znacznikiem znaczniku znaczniki znaczników znacznikom"
            " znacznikami znacznikach", "m",
        ),
    },
}  # fmt: skip
