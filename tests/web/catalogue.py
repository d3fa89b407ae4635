"""The German catalogue: which sentences people may see, and the compiled file Django reads.

`python -m tests.web.catalogue` compiles jitapp/locale/de/LC_MESSAGES/django.po and names what it lacks; nothing but
Python is needed for it.
"""

from __future__ import annotations

import ast
import re
import struct
from collections.abc import Iterator
from pathlib import Path

from jitapp.kanban.answers import ANSWERS, WARNINGS, WORDS
from jitapp.kanban.steps.all import STEPS

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "jitapp" / "locale" / "de" / "LC_MESSAGES"
_CALLS = {"gettext", "gettext_noop", "gettext_lazy", "mark", "_"}
_TAGS = re.compile(r"""\{%\s*translate\s+(?:"([^"]*)"|'([^']*)')|_\("([^"]*)"\)""")
_BLOCKS = re.compile(r"\{%\s*blocktranslate[^%]*%\}(.*?)\{%\s*endblocktranslate\s*%\}", re.DOTALL)


def of_pages() -> set[str]:
    """Every sentence of the web room and its templates, and what is printed on cards."""
    return (set(_in_python()) | set(_in_templates())) - {""}


def of_answers() -> set[str]:
    """Every sentence a scan may be answered with, its headline, its warnings, the words that stand inside, and the
    words of the steps."""
    sentences = {
        text for sentence in ANSWERS.values() for text in (sentence.message, sentence.next, sentence.headline)
    }
    labels = {step.label for step in STEPS.values()}
    return (sentences | labels | set(WARNINGS.values()) | WORDS) - {""}


def _in_python() -> Iterator[str]:
    rooms = [ROOT / "jitapp" / "web", ROOT / "jitapp" / "printing"]
    for file in sorted(file for room in rooms for file in room.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _CALLS:
                for argument in node.args[:1]:
                    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                        yield argument.value


def _in_templates() -> Iterator[str]:
    for file in sorted((ROOT / "templates").rglob("*.html")):
        text = file.read_text()
        for groups in _TAGS.findall(text):
            yield next(group for group in groups if group)
        for block in _BLOCKS.findall(text):
            yield re.sub(r"\{\{\s*(\w+)\s*\}\}", r"%(\1)s", block)


def read(text: str) -> dict[str, str]:
    """The pairs of a .po file without plurals."""
    found: dict[str, str] = {}
    for block in re.split(r"\n\s*\n", text):
        parts: dict[str, str] = {}
        name = ""
        for line in block.splitlines():
            keyword = re.match(r'(msgid|msgstr)\s+(".*")', line)
            if keyword:
                name = keyword[1]
                parts[name] = ast.literal_eval(keyword[2])
            elif line.startswith('"') and name:
                parts[name] += ast.literal_eval(line)
        if "msgid" in parts:
            found[parts["msgid"]] = parts.get("msgstr", "")
    return found


def compiled(catalogue: dict[str, str]) -> bytes:
    """The .mo file of the pairs, as gettext lays it out: sorted by message, without a hash table."""
    ordered = sorted((key.encode(), value.encode()) for key, value in catalogue.items() if value)
    start = 7 * 4 + 16 * len(ordered)
    ids = b"".join(key + b"\0" for key, _ in ordered)
    texts = b"".join(value + b"\0" for _, value in ordered)
    places: list[int] = []
    at = start
    for key, _ in ordered:
        places += [len(key), at]
        at += len(key) + 1
    for _, value in ordered:
        places += [len(value), at]
        at += len(value) + 1
    head = struct.pack("<7I", 0x950412DE, 0, len(ordered), 7 * 4, 7 * 4 + 8 * len(ordered), 0, 0)
    return head + struct.pack(f"<{len(places)}I", *places) + ids + texts


def pairs() -> dict[str, str]:
    """The catalogue as it stands."""
    return read((FOLDER / "django.po").read_text())


def lacking(sentences: set[str]) -> list[str]:
    """Those without a German text."""
    known = pairs()
    return sorted(text for text in sentences if not known.get(text))


if __name__ == "__main__":
    (FOLDER / "django.mo").write_bytes(compiled(pairs()))
    raise SystemExit("\n".join(lacking(of_pages() | of_answers())) or None)
