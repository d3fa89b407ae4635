"""What the source itself says: where a code is answered, where an event is written, which variables are read."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[3]
RULES = ("jitapp/kanban", "jitapp/pull")
# The modules that answer a scan.
ANSWERING = ("guards", "acts", "moves", "signals", "swap", "scanning", "swapping")
_GUARD = re.compile(r"^(G\d+)\b")
_WRITERS = frozenset({"write", "create", "record_station_event", "_record", "Event"})
# Arguments of those that are no facts of the event.
_NOT_FACTS = frozenset(
    {
        "turn",
        "frm",
        "to",
        "more",
        "data",
        "type",
        "type_",
        "at",
        "scan",
        "occurred_at",
        "recorded_at",
        "plant_id",
    }
    | {"station", "station_id", "person_id", "device_id", "now", "source", "kind", "started_at", "ended_at"}
)
_OF_THE_SYSTEM = frozenset({"PATH", "PYTHONPATH"})
_READERS = {
    "env_str": "text",
    "env_bool": "yes or no",
    "env_int": "whole number",
    "env_choice": "one of the words",
    "env_list": "words, separated by commas",
    "env_secret": "secret",
    "env_url": "address",
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


def _constants(node: ast.AST) -> set[str]:
    return {
        each.value
        for each in ast.walk(node)
        if isinstance(each, ast.Constant) and isinstance(each.value, str)
    }


def _said(part: ast.AST) -> set[str]:
    """The strings of a part that may be codes: names of facts are none."""
    names: set[int] = set()
    for node in ast.walk(part):
        if isinstance(node, ast.Subscript):
            names.add(id(node.slice))
        elif isinstance(node, ast.Dict):
            names |= {id(key) for key in node.keys}
    return {
        node.value
        for node in ast.walk(part)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in names
    }


def said_by(codes: Iterable[str]) -> dict[str, list[str]]:
    """For each code of an answer the functions that give it, with their guard's number."""
    found: dict[str, list[str]] = {code: [] for code in codes}
    for module, tree in _trees(RULES):
        short = module.rpartition(".")[2]
        if short not in ANSWERING:
            continue
        for part in tree.body:
            name = f"{short}.{part.name}" if isinstance(part, ast.FunctionDef) else short
            text = ast.get_docstring(part) if isinstance(part, ast.FunctionDef) else None
            guard = _GUARD.match(text or "")
            for code in _said(part) & found.keys():
                found[code].append(f"{name} ({guard[1]})" if guard else name)
    return found


@dataclass
class Written:
    """Where an event type is written, and the names of its facts."""

    modules: set[str] = field(default_factory=set)
    facts: set[str] = field(default_factory=set)


def written(types: Iterable[str]) -> dict[str, Written]:
    """For each event type the code that writes it: a call among whose arguments its name stands."""
    found = {name: Written() for name in types}
    for module, tree in _trees(RULES):
        for part in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
            for call in (node for node in ast.walk(part) if isinstance(node, ast.Call)):
                if _called(call) not in _WRITERS:
                    continue
                for name in _types_of(call, part) & found.keys():
                    found[name].modules.add(module)
                    found[name].facts |= set(_facts_of(call, part))
    return found


def types_written() -> set[str]:
    """Every event type that the rooms write by its name."""
    found: set[str] = set()
    for _module, tree in _trees(RULES):
        for call in (
            node for node in ast.walk(tree) if isinstance(node, ast.Call) and _called(node) in _WRITERS
        ):
            arguments = [*call.args[:2], *(each.value for each in call.keywords if each.arg == "type")]
            found |= {
                str(each.value)
                for each in arguments
                if isinstance(each, ast.Constant) and re.fullmatch(r"[a-z]+\.[a-z_]+", str(each.value))
            }
    return found


def _called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _types_of(call: ast.Call, part: ast.FunctionDef) -> set[str]:
    """The event types a call may write: named outright, by a constant, or as a family (f"station.{kind}")."""
    names: set[str] = set()
    for each in [*call.args[:2], *(keyword.value for keyword in call.keywords if keyword.arg == "type")]:
        if isinstance(each, ast.Constant):
            names.add(str(each.value))
        elif isinstance(each, ast.Name | ast.Attribute):
            names |= _event_constants().get(each.id if isinstance(each, ast.Name) else each.attr, frozenset())
        elif isinstance(each, ast.JoinedStr) and isinstance(each.values[0], ast.Constant):
            family = str(each.values[0].value)
            names |= {family + kind for kind in _event_constants().get("KINDS", frozenset())}
    return names


@cache
def _event_constants() -> dict[str, frozenset[str]]:
    """The strings that constants of the rooms hold, by the constants' names."""
    found: dict[str, frozenset[str]] = {}
    for _module, tree in _trees(RULES):
        for part in tree.body:
            if not isinstance(part, ast.Assign):
                continue
            for target in part.targets:
                if isinstance(target, ast.Name):
                    found[target.id] = found.get(target.id, frozenset()) | _constants(part.value)
                elif isinstance(target, ast.Tuple) and isinstance(part.value, ast.Tuple):
                    for name, value in zip(target.elts, part.value.elts, strict=True):
                        if isinstance(name, ast.Name):
                            found[name.id] = frozenset(_constants(value))
    return found


def _facts_of(call: ast.Call, part: ast.FunctionDef) -> Iterator[str]:
    """The names of an event's facts: keywords, and the keys of dictionaries handed over."""
    for keyword in call.keywords:
        if keyword.arg is not None and keyword.arg not in _NOT_FACTS:
            yield keyword.arg
        elif keyword.arg in (None, "more", "data"):
            yield from _keys(keyword.value)
            for name in (each.id for each in ast.walk(keyword.value) if isinstance(each, ast.Name)):
                yield from _keys_given(name, part)


def _keys(node: ast.AST) -> Iterator[str]:
    for each in ast.walk(node):
        if isinstance(each, ast.Dict):
            yield from (str(key.value) for key in each.keys if isinstance(key, ast.Constant))


def _keys_given(name: str, part: ast.FunctionDef) -> Iterator[str]:
    """The keys that a function puts into a dictionary of its own."""
    for node in ast.walk(part):
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        value = getattr(node, "value", None)
        if isinstance(target, ast.Name) and target.id == name and value is not None:
            yield from _keys(value)
        elif isinstance(target, ast.Subscript) and ast.unparse(target.value) == name:
            yield from _constants(target.slice)


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
