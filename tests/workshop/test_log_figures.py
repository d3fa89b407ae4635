"""The figures of docs/real-log.md come from a run of their maker."""

from __future__ import annotations

import io
import os
import re
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from jitapp.workshop.log_figures import BEGIN, END, PAGE, written

SMALL = Path(__file__).parent.parent / "data" / "small-log.csv"


def rows(tables: str) -> dict[str, str]:
    """First column to second."""
    return dict(re.findall(r"^\| (.+?) \| (.*?) ?\|$", tables, re.MULTILINE))


def on_the_page() -> str:
    return PAGE.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]


def of_a_run(log: Path) -> str:
    shown = io.StringIO()
    call_command("log_figures", str(log), stdout=shown)
    return shown.getvalue()


@pytest.mark.django_db(transaction=True)
def test_a07_the_page_shows_what_the_maker_prints() -> None:
    tables = of_a_run(SMALL)
    told, made = rows(on_the_page()), rows(tables)
    assert {name for name in made if "refused" not in name} == {
        name for name in told if "refused" not in name
    }
    assert made["`verify`"].endswith(" events, 0 differences")
    assert written(PAGE.read_text(encoding="utf-8"), on_the_page().strip() + "\n") == PAGE.read_text(
        encoding="utf-8"
    )
    with pytest.raises(CommandError, match="This database holds a shop"):
        of_a_run(SMALL)


def test_a07_what_the_page_says_about_the_figures_is_in_the_tables() -> None:
    told, prose = rows(on_the_page()), PAGE.read_text(encoding="utf-8").partition("What the numbers say.")[2]
    pushed = sum(int(value.replace(",", "")) for name, value in told.items() if "overproduction" in name)
    loose = next(value for name, value in told.items() if name.startswith("pieces still lying loose"))
    assert f"{pushed} (more than every third)" in prose
    assert f"{loose} pieces lie loose" in prose


@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(3600)
@pytest.mark.skipif("JITAPP_LOG" not in os.environ, reason="names the whole log of a shop in JITAPP_LOG")
def test_a07_the_pages_figures_are_those_of_the_whole_log() -> None:
    assert rows(of_a_run(Path(os.environ["JITAPP_LOG"]))) == rows(on_the_page())
