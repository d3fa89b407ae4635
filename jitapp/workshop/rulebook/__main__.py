"""`python -m jitapp.workshop.rulebook` (`make docs`): writes docs/rules from the tables of the code."""

from __future__ import annotations

import os

import django

from jitapp.workshop.rulebook.pages import FOLDER, pages


def main() -> None:
    """Writes the pages that differ."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "jitapp.settings")
    os.environ.setdefault("SECRET_KEY", "for-documents-only-and-for-nothing-else-0123456789-abc")
    django.setup()
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
