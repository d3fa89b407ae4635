"""The colours of states stay apart for every kind of eye, in every theme; shape and word repeat them (check 37)."""

from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path

import pytest
from coloraide import Color

from jitapp.web.board import chip
from jitapp.web.phrases import STATE_WORDS, words_of

TOKENS = Path(__file__).parents[2] / "static" / "css" / "tokens.css"
SHAPES = Path(__file__).parents[2] / "templates" / "components" / "shapes.html"
STATES = ("out", "act", "soon", "move", "ok", "held")
ON_INK = ("out", "act", "soon", "move", "held")  # chips filled with their colour, with a word on it
EYES = (None, "protan", "deutan", "tritan")
APART = 15  # CIEDE2000; two colours at 15 are told apart side by side at a glance
READABLE = 4.5  # WCAG 2.2, 1.4.3


def themes() -> dict[str, dict[str, str]]:
    """Each theme's tokens: those of the day with what the theme changes."""
    text = TOKENS.read_text()
    day = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", _block(text, ":root {")))
    found = {"day": day}
    for theme in ("dim", "sun"):
        own = dict(
            re.findall(r"--([\w-]+): (#[0-9a-f]{6});", _block(text, f':root[data-theme="{theme}"] {{'))
        )
        found[theme] = {**day, **own}
    return found


def _block(text: str, head: str) -> str:
    begin = text.index(head)
    return text[begin : text.index("}", begin)]


def seen_by(colour: str, eye: str | None) -> Color:
    """The colour as this kind of eye sees it (Machado et al. 2009, severity 1)."""
    made = Color(colour)
    return made if eye is None else made.filter(eye, method="machado")


@pytest.mark.parametrize("theme", ["day", "dim", "sun"])
@pytest.mark.parametrize("eye", EYES, ids=lambda eye: eye or "usual")
def test_check_37_state_colours_are_apart_for_every_eye(theme: str, eye: str | None) -> None:
    colours = {state: seen_by(themes()[theme][state], eye) for state in STATES}
    distances = {
        pair: colours[pair[0]].delta_e(colours[pair[1]], method="2000") for pair in combinations(STATES, 2)
    }
    assert min(distances.values()) >= APART, min(distances.items(), key=lambda item: item[1])


@pytest.mark.parametrize("theme", ["day", "dim", "sun"])
def test_words_are_readable_on_the_colours_of_their_states(theme: str) -> None:
    tokens = themes()[theme]
    contrasts = {
        state: Color(tokens[state]).contrast(tokens[f"{state}-ink"], method="wcag21") for state in ON_INK
    }
    assert min(contrasts.values()) >= READABLE, contrasts


@pytest.mark.parametrize("theme", ["day", "dim", "sun"])
def test_text_is_readable_on_every_ground(theme: str) -> None:
    tokens = themes()[theme]
    lacking = {
        (ink, ground)
        for ink in ("ink", "ink-2", "ink-3", "act-text")
        for ground in ("ground", "paper", "paper-2")
        if Color(tokens[ink]).contrast(tokens[ground], method="wcag21") < READABLE
    }
    assert lacking == set()


def test_check_37_every_chip_has_its_word_and_a_shape_of_its_own() -> None:
    drawn = SHAPES.read_text()
    paths = {}
    for state in STATE_WORDS:
        html = chip(state, words_of("en"))
        assert f'href="#sh-{state}"' in html
        assert html.endswith(f"{STATE_WORDS[state]}</span>")
        paths[state] = re.search(rf'id="sh-{state}"[^>]*>(.*?)</symbol>', drawn)[1]  # type: ignore[index]
    paths["call"] = re.search(r'id="sh-call"[^>]*>(.*?)</symbol>', drawn)[1]  # type: ignore[index]
    assert len(set(paths.values())) == len(paths)


def test_a_device_that_prefers_the_dark_gets_the_dim_theme() -> None:
    text = TOKENS.read_text()
    tokens = {
        name: re.findall(r"--([\w-]+): ([^;]+);", _block(text, f':root[data-theme="{name}"] {{'))
        for name in ("auto", "dim")
    }
    assert tokens["auto"] == tokens["dim"]
