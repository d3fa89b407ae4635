"""The page where a site renames the words bin, station, part and card: for a plant, or for one of its areas.

Everybody of the plant may look; planners, leaders and administrators change. Saved by the way of shop files and API, so
that their checks count and the change stands in the history of master data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as mark
from django.views.decorators.http import require_http_methods

from jitapp.plant.changes import newest_changes
from jitapp.plant.models import Area, Plant
from jitapp.plant.shopfile import FORMAT
from jitapp.plant.spoken import speak, spoken
from jitapp.plant.wording.kept import HOUSE_WORDS, Wording, sound, wording
from jitapp.plant.wording.terms import FORMS, GENDER, GENDERS, HOUSE, LONGEST, TERMS, WrongForm, checked
from jitapp.pull.setup import set_up_shop
from jitapp.web.calls import source_of
from jitapp.web.leading import led_plants
from jitapp.web.masters.pages import PLANNERS, Past, plants_seen
from jitapp.web.masters.renamed import TERM_WORDS, renamed
from jitapp.web.masters.saving import Changed, digest
from jitapp.web.phrases import from_the_right
from jitapp.web.visit import people, viewer_of

FORM_WORDS = {
    "gender": mark("Gender"),
    "singular": mark("One (nominative)"),
    "genitive": mark("Genitive"),
    "dative": mark("Dative"),
    "accusative": mark("Accusative"),
    "instrumental": mark("Instrumental"),
    "locative": mark("Locative"),
    "plural": mark("Several (nominative)"),
    "plural_genitive": mark("Genitive of several"),
    "plural_dative": mark("Dative of several"),
    "plural_instrumental": mark("Instrumental of several"),
    "plural_locative": mark("Locative of several"),
    "compound": mark("As the beginning of a longer word"),
}
# Languages without cases have one form of each number.
PLAIN_FORMS = {"singular": mark("One"), "plural": mark("Several")}
GENDER_WORDS = {"m": mark("masculine"), "f": mark("feminine"), "n": mark("neuter")}
WHY = {
    "missing": mark("This form is missing."),
    "long": mark("Write at most {most} letters."),
    "letters": mark("Write one word of letters: no blank, no digit, no sign."),
    "capital": mark("A German noun begins with a capital letter."),
    "gender": mark("Choose the gender: articles follow it."),
    "unknown": mark("This language has no such form."),
}
# Sentences of the product in which each word shows its forms; they are marked where they are said.
SENTENCES = {
    "bin": (
        "Put the container in its place.",
        "Take the card from a full container.",
        "no full container in the supermarket",
        "Usable containers",
    ),
    "station": (
        "Choose your station, then scan again.",
        "nobody at the station",
        "This device has no station.",
        "No stations yet",
    ),
    "part": ("Find a part, a loop or a station", "station lacks parts", "New part", "Wrong part"),
    "card": (
        "Put this card in the red box.",
        "The card was withdrawn for good",
        "no card was scanned empty",
        "Which cards are to be printed, and how.",
    ),
}


@dataclass(frozen=True, slots=True)
class Place:
    """For whom words are renamed: a plant, or one of its areas."""

    plant: Plant
    area: Area | None

    @property
    def key(self) -> str:
        """As an address names it; ":" is in no code."""
        return f"{self.plant.code}:{self.area.code}" if self.area else self.plant.code

    @property
    def name(self) -> str:
        """As people name it."""
        name = self.plant.name or self.plant.code
        return f"{name} · {self.area.name}" if self.area else name

    @property
    def saved(self) -> dict[str, Any]:
        """The words that it has of its own."""
        words = (self.area or self.plant).words
        return dict(words) if isinstance(words, Mapping) else {}

    @property
    def below(self) -> Wording:
        """What is spoken there without them."""
        return sound(self.plant.words) if self.area else HOUSE_WORDS


@dataclass(slots=True)
class Box:
    """A form of a word as it is asked for."""

    name: str
    label: str
    value: str
    ours: str
    needed: bool
    problems: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Told:
    """A word in the form: its boxes, what is spoken without it, and sentences with it."""

    term: str
    title: str
    ours: str
    gender: str
    gender_problem: str
    boxes: list[Box]
    own: bool
    sentences: list[tuple[str, str]]


Typed = dict[str, dict[str, str]]  # term -> form -> text; a term without text is the house's


@require_http_methods(["GET", "HEAD", "POST"])
@people
def words_page(request: HttpRequest) -> HttpResponseBase:
    """GET shows the words of a place in a language; POST saves them, shows them in sentences (`do=look`), or goes back
    to the house's for one term (`do=ours:<term>`)."""
    speak(wording=HOUSE_WORDS)  # this page is about our words
    places = _places(plants_seen(request))
    asked = request.POST if request.method == "POST" else request.GET
    place = _named(places, asked.get("place", ""))
    language = _language(asked.get("language") or viewer_of(request).language)
    if place is None:
        return render(request, "masters/words.html", {"places": [], "plans": False})
    if request.method != "POST":
        return _form(request, places, place, language, _saved(place, language), {})
    if place.plant not in led_plants(request, PLANNERS):
        raise PermissionDenied
    typed = _typed(request, language)
    do = request.POST.get("do", "")
    if do.startswith("ours:"):
        typed.pop(do.removeprefix("ours:"), None)
        kept = _saved(place, language)
        kept.pop(do.removeprefix("ours:"), None)
        return _save(request, places, place, language, kept, typed)
    wrong = {term: faults for term, forms in typed.items() if (faults := checked(language, forms)[1])}
    if do == "look" or wrong:
        return _form(request, places, place, language, typed, wrong, looks=do == "look")
    return _save(request, places, place, language, typed, typed)


def _save(
    request: HttpRequest, places: Sequence[Place], place: Place, language: str, words: Typed, typed: Typed
) -> HttpResponseBase:
    """Saves the words of one language; those of the others stay."""
    whole = {**place.saved, language: words}
    if not words:
        whole.pop(language)
    head: dict[str, object] = {"code": place.plant.code}
    if place.area is None:
        head["words"] = whole
    else:
        head["areas"] = [{"code": place.area.code, "words": whole}]
    seen = request.POST.get("seen")

    def unchanged() -> None:
        fresh = place.area or place.plant
        fresh.refresh_from_db(fields=["words"])
        if seen is not None and digest(place.saved) != seen:
            raise Changed

    try:
        done = set_up_shop(
            {"shop": FORMAT, "plants": [head]},
            now=timezone.now(),
            plant_ids=frozenset({place.plant.pk}),
            precondition=unchanged,
            source=source_of(viewer_of(request)),
        )
    except Changed:
        return _form(request, places, place, language, typed, {}, meanwhile=True)
    if done.report.errors:
        others = [problem.message for problem in done.report.errors]
        return _form(request, places, place, language, typed, {}, others=others)
    messages.success(request, gettext("Saved. Pages that are open show it when they are loaded again."))
    return redirect("/plan/words?" + urlencode({"place": place.key, "language": language}))


# -- what is asked -------------------------------------------------------------------------------------
def _places(plants: Sequence[Plant]) -> list[Place]:
    areas = list(Area.objects.filter(plant__in=plants).order_by("name", "code"))
    return [
        Place(plant, area)
        for plant in plants
        for area in (None, *(one for one in areas if one.plant_id == plant.pk))
    ]


def _named(places: Sequence[Place], key: str) -> Place | None:
    """The place of an address, or the first. Raises Http404 for one that the viewer may not see."""
    if not key:
        return places[0] if places else None
    found = next((place for place in places if place.key == key), None)
    if found is None:
        raise Http404
    return found


def _language(asked: str) -> str:
    base = asked.partition("-")[0]
    return base if base in FORMS else "en"


def _saved(place: Place, language: str) -> Typed:
    terms = place.saved.get(language)
    found = terms if isinstance(terms, Mapping) else {}
    return {term: dict(forms) for term, forms in found.items() if isinstance(forms, Mapping)}


def _typed(request: HttpRequest, language: str) -> Typed:
    """What was typed; a term in which nothing was typed is the house's."""
    found: Typed = {}
    for term in TERMS:
        forms = {
            form.name: request.POST.get(f"{term}-{form.name}", "").replace("\0", "").strip()[:200]
            for form in FORMS[language]
        }
        if any(forms.values()):
            gender = request.POST.get(f"{term}-{GENDER}", "")[:1]
            found[term] = ({GENDER: gender} if language in GENDERS else {}) | forms
    return found


# -- what is shown -------------------------------------------------------------------------------------
def _form(
    request: HttpRequest,
    places: Sequence[Place],
    place: Place,
    language: str,
    typed: Typed,
    wrong: Mapping[str, list[WrongForm]],
    *,
    looks: bool = False,
    meanwhile: bool = False,
    others: Sequence[str] = (),
) -> HttpResponseBase:
    sound_ones = {term: checked(language, forms)[0] for term, forms in typed.items() if not wrong.get(term)}
    shown = wording({language: sound_ones}).over(place.below)
    context = {
        "places": places,
        "place": place,
        "languages": [(code, name, code == language) for code, name in settings.LANGUAGES if code in FORMS],
        "language": language,
        "direction": "rtl" if from_the_right(language) else "ltr",
        "told": [
            _told(language, term, typed.get(term, {}), wrong.get(term, []), (place.below, shown))
            for term in TERMS
        ],
        "genders": [(each, gettext(GENDER_WORDS[each])) for each in GENDERS.get(language, "")],
        "longest": LONGEST,
        "plans": place.plant in led_plants(request, PLANNERS),
        "refused": bool(wrong or others),
        "others": others,
        "meanwhile": meanwhile,
        "looks": looks and not wrong,
        "seen": digest(place.saved),
        "history": _history(place),
        "plant": place.plant,
    }
    status = 409 if meanwhile else 422 if wrong or others else 200
    return render(request, "masters/words.html", context, status=status)


def _told(
    language: str,
    term: str,
    forms: Mapping[str, str],
    wrong: Sequence[WrongForm],
    spoken_words: tuple[Wording, Wording],
) -> Told:
    below, shown = spoken_words
    ours = below.words.get(language, {}).get(term) or HOUSE[language][term][-1]
    labels = FORM_WORDS if language in ("de", "pl") else {**FORM_WORDS, **PLAIN_FORMS}
    boxes = [
        Box(
            form.name,
            gettext(labels[form.name]),
            forms.get(form.name, ""),
            ours.get(form.name, ""),
            not form.like,
            [_why(fault) for fault in wrong if fault.form == form.name],
        )
        for form in FORMS[language]
    ]
    return Told(
        term=term,
        title=gettext(TERM_WORDS[term]),
        ours=f"{ours['singular']}, {ours['plural']}",
        gender=forms.get(GENDER, ""),
        gender_problem=next((_why(fault) for fault in wrong if fault.form == GENDER), ""),
        boxes=boxes,
        own=bool(forms),
        sentences=_in_sentences(language, term, below, shown),
    )


def _why(fault: WrongForm) -> str:
    return gettext(WHY[fault.why]).format(most=LONGEST)


def _in_sentences(language: str, term: str, below: Wording, shown: Wording) -> list[tuple[str, str]]:
    """Real sentences as they are said now and as they would be."""
    with spoken(language, below):
        before = [gettext(text) for text in SENTENCES[term]]
    with spoken(language, shown):
        after = [gettext(text) for text in SENTENCES[term]]
    return list(zip(before, after, strict=True))


def _history(place: Place) -> list[Past]:
    """Who changed the words, newest first, each word of which the forms differ."""
    kind, key = ("areas", place.area.code) if place.area else ("plants", place.plant.code)
    return [
        Past(one.at, str(one.person or one.device or ""), one.what, lines)
        for one in newest_changes(place.plant.pk, kind, key)
        if "words" in one.changes and (lines := renamed(*one.changes["words"]))
    ]
