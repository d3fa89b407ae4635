"""Functions and files stay short enough to be read at once."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from jitapp.env import BASE_DIR

LONGEST_FUNCTION = 60  # lines
LONGEST_FILE = 450


def too_long(root: Path) -> Iterator[tuple[str, str]]:
    """(file, function), or (file, "") for a whole file; migrations are left out."""
    for path in sorted((root / "jitapp").rglob("*.py")):
        if "migrations" in path.parts:
            continue
        name = path.relative_to(root).as_posix()
        text = path.read_text()
        if len(text.splitlines()) > LONGEST_FILE:
            yield name, ""
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert node.end_lineno is not None
                if node.end_lineno - node.lineno + 1 > LONGEST_FUNCTION:
                    yield name, node.name


def test_no_function_and_no_file_is_too_long() -> None:
    assert list(too_long(BASE_DIR)) == [], "divide them by what they do"


def test_what_is_too_long_is_found(tmp_path: Path) -> None:
    folder = tmp_path / "jitapp" / "room"
    (folder / "migrations").mkdir(parents=True)
    body = "".join(f"    x = {number}\n" for number in range(LONGEST_FUNCTION))
    (folder / "long.py").write_text(
        f"def long():\n{body}\n\nasync def fits():\n{body[: body.rindex('    ')]}"
    )
    (folder / "file.py").write_text("x = 1\n" * (LONGEST_FILE + 1))
    (folder / "migrations" / "0001.py").write_text("x = 1\n" * (LONGEST_FILE + 1))
    assert set(too_long(tmp_path)) == {("jitapp/room/long.py", "long"), ("jitapp/room/file.py", "")}
