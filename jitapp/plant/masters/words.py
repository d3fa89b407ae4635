"""The words of a plant or an area in a document: checked, and kept as they are spoken."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from msgspec import Meta

from jitapp.kanban.stated import Stated
from jitapp.plant.masters.wrong import Wrong
from jitapp.plant.wording.kept import Saved, WrongWord, cleaned
from jitapp.plant.wording.terms import FORMS, GENDERS, LONGEST, TERMS

_Text = Annotated[str, Meta(max_length=200)]
WordsRow = dict[str, dict[str, dict[str, _Text]]]

_WHY = {
    "language": "{language!r} is no language with words of its own. There are {languages}.",
    "term": "{term!r} is no word that can be renamed. There are {terms}.",
    "missing": "The {form} of {term} in {language} is missing.",
    "long": "The {form} of {term} in {language} has more than {longest} letters.",
    "letters": "The {form} of {term} in {language} may have nothing but letters: one word, no blank, no sign.",
    "capital": "The {form} of {term} in {language} begins with a capital letter, like every German noun.",
    "gender": "The gender of {term} in {language} is one of {genders}.",
    "unknown": "{form!r} is no form of a word in {language}. There are {forms}.",
}


# For whoever writes files; the page of the words (web/wording_form) has sentences of its own.
_LIKE = 'Write the words like {"en": {"bin": {"singular": "tray"}}}.'


def sentence(wrong: WrongWord) -> str:
    """Why a word is not kept, for whoever wrote a file."""
    language = wrong.language if wrong.language in FORMS else "en"
    return _WHY[wrong.why].format(
        language=wrong.language,
        term=wrong.term,
        form=wrong.form.replace("_", " "),
        languages=", ".join(FORMS),
        terms=", ".join(TERMS),
        longest=LONGEST,
        genders=", ".join(GENDERS.get(language, "")),
        forms=", ".join(form.name for form in FORMS[language]),
    )


def kept_words(words: object) -> Saved:
    """The words as they stand in the column. Raises Wrong at the first that cannot stand there."""
    if not isinstance(words, Mapping):
        raise Wrong("malformed", Stated("{like}", {"like": _LIKE}), ("words",))
    kept, wrong = cleaned(words)
    if wrong:
        raise Wrong("malformed", Stated("{why}", {"why": sentence(wrong[0])}), ("words", *wrong[0].path))
    return kept


def as_spoken(words: object) -> Saved:
    """What of saved words can be spoken; changes nothing of those that can."""
    return cleaned(words)[0] if isinstance(words, Mapping) else {}
