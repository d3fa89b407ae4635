"""Every reason and cause that the rules can name has words, in every language."""

from __future__ import annotations

import pytest

from jitapp.kanban.runouts import NO_SIGNAL, ON_HOLD, QUALITY
from jitapp.kanban.standing import REASONS
from jitapp.kanban.vocabulary import Party
from jitapp.kanban.waits import Halt
from jitapp.pull.reading.board import NO_TURN
from jitapp.web.phrases import CAUSE_WORDS, DO_WORDS, PARTY_WORDS, WHY_WORDS, words_of
from tests.web.catalogue import LANGUAGES, lacking

# Outside working time a row shows the wait as it is: nothing is said of a closed plant.
HALTS = [halt.value for halt in Halt if halt is not Halt.CLOSED]
ROW_REASONS = (*REASONS, *HALTS, *NO_TURN)
# What a turn waits for or what is done to it, or what is the matter with the whole loop.
CAUSES = (*REASONS, QUALITY[0], NO_SIGNAL[0], ON_HOLD[0])


def said_everywhere(sentence: str) -> bool:
    """Whether every catalogue has a text for it."""
    return not any(lacking({sentence}, language) for language in LANGUAGES)


@pytest.mark.parametrize("reason", ROW_REASONS)
def test_every_reason_of_a_row_says_why_and_what_is_to_do(reason: str) -> None:
    for table in (WHY_WORDS, DO_WORDS):
        assert table[reason]
        assert said_everywhere(table[reason])


@pytest.mark.parametrize("cause", CAUSES)
def test_every_cause_of_a_runout_has_words(cause: str) -> None:
    assert said_everywhere(CAUSE_WORDS[cause])
    assert words_of("en").causes[cause] != words_of("de").causes[cause]


@pytest.mark.parametrize("party", list(Party))
def test_whoever_must_act_has_a_name(party: Party) -> None:
    assert said_everywhere(PARTY_WORDS[party])


def test_there_are_no_words_for_what_nobody_says() -> None:
    assert set(WHY_WORDS) == set(DO_WORDS) == set(ROW_REASONS)
