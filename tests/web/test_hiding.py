"""Addresses that open something are not written into logs."""

from __future__ import annotations

import logging

import pytest
from django.conf import settings
from django.test import Client

from jitapp.web.hiding import WithoutSecrets, without_secrets


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("Forbidden: /tv/jit_abc-DEF_1", "Forbidden: /tv/…"),
        ("Gone: /device/enrol/7K3F9QXD2M8P", "Gone: /device/enrol/…"),
        ('"GET /tv/jit_abc?x=1 HTTP/1.1"', '"GET /tv/…?x=1 HTTP/1.1"'),
        ("Unauthorized: /tv/rows", "Unauthorized: /tv/rows"),
        ("Not Found: /b/SMT", "Not Found: /b/SMT"),
    ],
)
def test_a_secret_in_an_address_is_left_out(said: str, written: str) -> None:
    assert without_secrets(said) == written


@pytest.mark.django_db
def test_what_the_server_logs_of_a_refused_screen_does_not_name_its_token(
    caplog: pytest.LogCaptureFixture,
) -> None:
    answer = Client().get("/tv/jit_secret-token")
    assert answer.status_code == 403
    assert answer["Referrer-Policy"] == "no-referrer"
    assert answer["Cache-Control"] == "no-store"
    records = [each for each in caplog.records if "/tv/" in each.getMessage()]
    assert records
    for record in records:
        assert WithoutSecrets().filter(record)
        assert "secret-token" not in logging.Formatter("%(message)s").format(record)
    assert "without_secrets" in settings.LOGGING["handlers"]["stderr"]["filters"]
