"""Which environment variables the source reads, and how a page explains them."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[3]
_OF_THE_SYSTEM = frozenset({"PATH", "PYTHONPATH"})
_READERS = {
    "env_str": "text",
    "env_bool": "yes or no",
    "env_int": "whole number",
    "env_choice": "one of the words",
    "env_list": "words, separated by commas",
    "env_recipients": "mail addresses, separated by commas",
    "env_secret": "secret",
    "env_signing_secret": "secret",
    "env_url": "address",
    "env_owner_url": "address",
    "env_address": "address",
    "env_signing_keys": "secrets",
}


@cache
def _trees(folders: tuple[str, ...]) -> tuple[tuple[str, ast.Module], ...]:
    files = sorted(file for folder in folders for file in (ROOT / folder).rglob("*.py"))
    return tuple(
        (
            file.relative_to(ROOT / "jitapp").with_suffix("").as_posix().replace("/", "."),
            ast.parse(file.read_text()),
        )
        for file in files
        if "migrations" not in file.parts
    )


@dataclass
class Variable:
    """An environment variable as the code reads it."""

    name: str
    kind: str
    modules: set[str] = field(default_factory=set)


def variables() -> dict[str, Variable]:
    """Every variable that jitapp reads, by its name."""
    found: dict[str, Variable] = {}
    for module, tree in _trees(("jitapp",)):
        if module in ("env",) or ".bench." in module or ".chaos." in module:
            continue
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args):
            first = call.args[0]
            if not isinstance(first, ast.Constant) or not isinstance(first.value, str):
                continue
            reader = call.func.id if isinstance(call.func, ast.Name) else ""
            if reader in _READERS:
                kind = _READERS[reader] + _limits(call)
            elif ast.unparse(call.func) in ("os.environ.get", "os.getenv"):
                kind = "text"
            else:
                continue
            if first.value in _OF_THE_SYSTEM:
                continue
            found.setdefault(first.value, Variable(first.value, kind)).modules.add(module)
    return found


def _limits(call: ast.Call) -> str:
    limits = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
    if "least" in limits:
        return f", {limits['least']} to {limits['most']}".replace("_", "")
    return ""


def explained(page: str) -> dict[str, tuple[str, str]]:
    """(default, meaning) of the variables that a page's tables name in code style."""
    rows = re.findall(
        r"^\| `([A-Z][A-Z_]+)` \| ([^|]*) \| ([^|]+) \|$",
        (ROOT / page).read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    return {name: (default, meaning) for name, default, meaning in rows}
