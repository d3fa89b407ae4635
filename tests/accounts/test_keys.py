"""The key that signs sessions and tickets is hard to guess, whoever sets it (S13)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.checks.security.base import check_secret_key

from jitapp.env import BASE_DIR, Nonsense, env_signing_secret
from jitapp.workshop.embedded import kept_secret
from jitapp.workshop.start_up import SECRET_KEY_BYTES


@pytest.mark.parametrize("key", ["x", "change-me", "a" * 64, "0123456789" * 4, "ab" * 40])
def test_s13_a_key_that_can_be_guessed_is_refused(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.setenv("SECRET_KEY", key)
    with pytest.raises(Nonsense, match=r"SECRET_KEY is too easy to guess: set it to at least 50 random"):
        env_signing_secret("SECRET_KEY")


def test_s13_the_key_that_is_made_passes_every_check(
    tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = kept_secret(tmp_path / "key", random_bytes=SECRET_KEY_BYTES)
    settings.SECRET_KEY = made
    assert check_secret_key(None) == []
    monkeypatch.setenv("SECRET_KEY", made)
    assert env_signing_secret("SECRET_KEY") == made
    assert kept_secret(tmp_path / "key", random_bytes=SECRET_KEY_BYTES) == made


def test_s13_a_key_that_an_older_version_made_is_made_again(tmp_path: Path) -> None:
    older = kept_secret(tmp_path / "key")
    longer = kept_secret(tmp_path / "key", random_bytes=SECRET_KEY_BYTES)
    assert older != longer
    assert len(longer) >= 64


def test_s13_without_a_key_a_command_has_one_that_nobody_knows(tmp_path: Path) -> None:
    told = {
        name: value for name, value in os.environ.items() if not name.startswith(("SECRET_KEY", "PYTEST"))
    }
    script = (
        "import sys; sys.argv = ['manage.py', 'runserver'];"
        " from django.conf import settings; print(settings.SECRET_KEY)"
    )
    keys = {
        subprocess.run(
            [sys.executable, "-c", script],
            cwd=BASE_DIR,
            env=told | {"JITAPP_DATA": str(tmp_path), "DJANGO_SETTINGS_MODULE": "jitapp.settings"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for _ in range(2)
    }
    assert len(keys) == 2
    assert all(len(key) >= 50 for key in keys)
