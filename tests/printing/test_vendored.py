"""Fonts and the renderer of the tests are the ones we say they are."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from jitapp.printing import fonts

RENDERER = Path(__file__).parents[1] / "vendor"


@pytest.mark.parametrize(("folder", "list_"), [(fonts.FOLDER, "FONTS.md"), (RENDERER, "VENDORED.md")])
def test_vendored_files_have_the_sums_written_beside_them(folder: Path, list_: str) -> None:
    text = (folder / list_).read_text()
    listed = dict(re.findall(r"^\| (\S+\.\w+) \|.*`([0-9a-f]{64})`", text, re.MULTILINE))
    assert {file.name for file in folder.iterdir() if file.suffix not in (".md", ".txt")} == set(listed)
    for name, digest in listed.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest, name


def test_every_font_is_listed() -> None:
    assert set(fonts.FILES.values()) == {file.name for file in fonts.FOLDER.glob("*.ttf")}
