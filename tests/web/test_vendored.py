"""Vendored files are the ones we say they are."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

VENDOR = Path(__file__).parents[2] / "static" / "vendor"


def test_vendored_files_have_the_sums_written_beside_them() -> None:
    listed = dict(
        re.findall(r"^\| (\S+\.\w+) \|.*`([0-9a-f]{64})`", (VENDOR / "VENDORED.md").read_text(), re.MULTILINE)
    )
    there = {file.name for file in VENDOR.iterdir() if file.suffix not in (".md", ".txt")}
    assert there == set(listed)
    for name, digest in listed.items():
        assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == digest, name
