"""The pages of a form that was refused and of a fault: in the language of whoever reads, in the dress of the rest."""

from __future__ import annotations

import pytest
from django.template.loader import render_to_string
from django.test import Client
from django.utils import translation

STYLES = "css/base"


@pytest.mark.django_db
def test_a_form_that_is_too_old_is_refused_in_the_readers_language_and_theme() -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.cookies["django_language"], browser.cookies["theme"] = "de", "dim"
    answer = browser.post("/login/", {"username": "mia", "password": "x"})
    page = answer.content.decode()
    assert answer.status_code == 403
    assert "Diese Seite ist zu alt geworden" in page
    assert 'data-theme="dim"' in page
    assert STYLES in page


@pytest.mark.parametrize(
    ("language", "says"), [("en", "Something broke on our side"), ("de", "Kein Scan ist verloren")]
)
def test_the_page_of_a_fault_needs_no_request_and_no_store(language: str, says: str) -> None:
    with translation.override(language):
        page = render_to_string("500.html")
    assert says in page
    assert STYLES in page
