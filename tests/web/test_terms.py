"""One term, one word: what an English sentence names is named alike in every sentence of a language.

A second word for the same thing, or one word for two, is read as another thing. German, French and Polish once had the
word of logging in, of saving and of reporting for the enrolment of a device.
"""

from __future__ import annotations

import re

import pytest

from tests.web.catalogue import LANGUAGES, pairs

# English word, as it stands in a sentence -> beginnings of the words for it in the other languages.
TERMS: dict[str, dict[str, str]] = {
    r"loops?": {"de": "regelkreis", "es": "circuito", "fr": "boucle", "pl": "pętl"},
    r"turns?(?! down)": {"de": "durchl[aä]uf", "es": "ciclo", "fr": "cycle", "pl": "cykl"},
    r"stations?": {"de": "station", "es": "puesto", "fr": "poste", "pl": "stanowisk"},
    r"badges?": {"de": "ausweis", "es": "credencial", "fr": "badge", "pl": "identyfikator"},
    r"PINs?": {"de": "pin", "es": "pin", "fr": "pin", "pl": "pin"},
    r"suppliers?": {"de": "lieferant", "es": "proveedor", "fr": "fournisseur", "pl": "dostawc"},
    r"buyers?": {"de": "einkauf", "es": "comprador", "fr": "acheteur", "pl": "zaopatrzeni"},
    r"planners?": {"de": "planung", "es": "planificador", "fr": "planificateur", "pl": "plani[sś]"},
    r"leaders?": {
        "de": "leitung",
        "es": "responsable|jefe",
        "fr": "responsable|chef",
        "pl": "lider|kierownik|brygadzist",
    },
    r"administrators?": {
        "de": "administr",
        "es": "administrador",
        "fr": "administrateur",
        "pl": "administrator",
    },
    r"containers?|bins?": {"de": "behälter", "es": "contenedor", "fr": "bac", "pl": "pojemnik"},
    r"shop file": {
        "de": "werksdatei",
        "es": "archivo de planta",
        "fr": "fichier d'atelier",
        "pl": "plik\\w* zakładu",
    },
    r"enrol\w*": {"de": "registr", "es": "alta", "fr": "ins[ck]ri", "pl": "rejestr|zarejestr"},
    r"buffers?": {"de": "puffer", "es": "stock intermedio", "fr": "stock tampon", "pl": "bufor"},
    r"differences?": {"de": "abweichung", "es": "diferencia", "fr": "écart", "pl": "różnic"},
    r"withdrawn": {"de": "eingezogen", "es": "dada de baja", "fr": "retiré", "pl": "wycofan"},
    r"blocked(?! for)": {
        "de": "blockier|versperrt",
        "es": "bloque",
        "fr": "bloqu",
        "pl": "zablokowan|blokad",
    },
    r"held|on hold": {"de": "gesperrt|sperre", "es": "reten|retuvo", "fr": "rete[nu]", "pl": "wstrzym"},
    r"promise[ds]?": {"de": "zusag|zugesagt", "es": "prom[ei]", "fr": "prom[ei]", "pl": "obiec|obietnic"},
    r"routes?": {"de": "route", "es": "ruta", "fr": "itinéraire", "pl": "tras"},
    r"lots?": {"de": "charge", "es": "lote", "fr": "lot", "pl": "parti"},
    r"tags?": {"de": "transponder", "pl": "tag"},
    r"readers?": {"de": "leser", "es": "lector", "fr": "lecteur", "pl": "czytnik"},
    r"dock": {"de": "tor", "es": "muelle", "fr": "quai", "pl": "ramp"},
}
# Sentences in which a word means something else.
OTHER_SENSE = frozenset(
    {
        # containers of software
        "{name} on {host} has given no sign of life since {at} UTC. “make run” and the containers start it again within"
        " a minute; elsewhere end it and start it again.",
        # a batch that is gathered, not a lot of material
        "The lot of loop {loop} must be at least what its triangle leaves.",
    }
)
# How people are addressed: what must not stand in a catalogue.
NEVER = {
    "de": r"\b(du|dich|dir|dein\w*|euch|euer\w*|eure\w*)\b",
    "es": r"\b(usted|ustedes)\b|(?:^|[.:;] )(compruebe|pulse|escanee|elija|pregunte|pida|ponga|deje)\b",
    "fr": r"\b(tu|toi|ton|tes)\b",
    "pl": r"\b(Pan|Pani|Państw\w+)\b",
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_term_has_one_word(language: str) -> None:
    wrong = [
        f"{term}: {english} -> {text}"
        for english, text in pairs(language).items()
        for term, words in TERMS.items()
        if language in words
        and re.search(rf"(?<![\w{{(-])(?:{term})(?![\w}})-])", english)
        and not re.search(rf"(?:{words[language]})", text, re.IGNORECASE)
        and english not in OTHER_SENSE
    ]
    assert wrong == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_people_are_addressed_in_one_way(language: str) -> None:
    found = {
        english: text
        for english, text in pairs(language).items()
        if re.search(NEVER[language], text, re.IGNORECASE)
    }
    assert found == {}
