"""The catalogues: which sentences people may see, and the compiled files that Django reads.

`python -m tests.web.catalogue` compiles jitapp/locale/*/LC_MESSAGES/django.po and names what each lacks; nothing but
Python is needed for it. Each language has every sentence: whoever reads a page in Polish reads no English in between.
"""

from __future__ import annotations

import ast
import re
import struct
from collections.abc import Iterator
from pathlib import Path

from jitapp.kanban.answers import ANSWERS, WORDS
from jitapp.kanban.steps.all import STEPS
from jitapp.kanban.warnings import WARNINGS

ROOT = Path(__file__).parents[2]
LOCALES = ROOT / "jitapp" / "locale"
LANGUAGES = ("de", "es", "fr", "pl")
PLURAL = "\0"  # stands between a sentence and its plural, as in a compiled catalogue
_CALLS = {"gettext", "gettext_noop", "gettext_lazy", "mark", "_"}
_PLURALS = {"ngettext", "ngettext_lazy"}
_TAGS = re.compile(r"""\{%\s*translate\s+(?:"([^"]*)"|'([^']*)')|_\("([^"]*)"\)""")
_BLOCKS = re.compile(r"\{%\s*blocktranslate[^%]*%\}(.*?)\{%\s*endblocktranslate\s*%\}", re.DOTALL)


def of_pages() -> set[str]:
    """Every sentence of the web room and its templates, what is printed on cards, and what rules state to planners. A
    sentence with a plural is both, with PLURAL between them."""
    return (set(_in_python()) | set(_in_templates()) | set(_in_rules())) - {""}


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
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            said = [
                each.value
                for each in node.args
                if isinstance(each, ast.Constant) and isinstance(each.value, str)
            ]
            if node.func.id in _CALLS:
                yield from said[:1]
            elif node.func.id in _PLURALS:
                yield PLURAL.join(said[:2])


def _in_rules() -> Iterator[str]:
    """Patterns of sentences that keep their facts (jitapp/kanban/stated.py)."""
    rooms = [ROOT / "jitapp" / name for name in ("kanban", "plant", "pull")]
    for file in sorted(file for room in rooms for file in room.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())) if "stated" in file.read_text() else ():
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            said = [
                each.value
                for each in node.args
                if isinstance(each, ast.Constant) and isinstance(each.value, str)
            ]
            if node.func.id == "stated":
                yield from said[:1]
            elif node.func.id == "stated_of":
                yield PLURAL.join(said[:2])


def _in_templates() -> Iterator[str]:
    for file in sorted((ROOT / "templates").rglob("*.html")):
        text = file.read_text()
        for groups in _TAGS.findall(text):
            yield next(group for group in groups if group).replace("%", "%%")  # as Django looks it up
        for block in _BLOCKS.findall(text):
            said = re.sub(r"\{\{\s*(\w+)\s*\}\}", r"%(\1)s", block)
            yield re.sub(r"\{%\s*plural\s*%\}", PLURAL, said)


def read(text: str) -> dict[str, str]:
    """The pairs of a .po file; the forms of a plural stand in one text, with NUL between them."""
    found: dict[str, str] = {}
    for block in re.split(r"\n\s*\n", text):
        parts: dict[str, str] = {}
        name = ""
        for line in block.splitlines():
            keyword = re.match(r'(msgid|msgid_plural|msgstr(?:\[\d\])?)\s+(".*")', line)
            if keyword:
                name = keyword[1]
                parts[name] = ast.literal_eval(keyword[2])
            elif line.startswith('"') and name:
                parts[name] += ast.literal_eval(line)
        if "msgid_plural" in parts:
            forms = [text for name, text in sorted(parts.items()) if name.startswith("msgstr[")]
            found[PLURAL.join((parts["msgid"], parts["msgid_plural"]))] = PLURAL.join(forms)
        elif "msgid" in parts:
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


def folder(language: str) -> Path:
    """Where a language's catalogue stands."""
    return LOCALES / language / "LC_MESSAGES"


def pairs(language: str) -> dict[str, str]:
    """The catalogue as it stands."""
    return read((folder(language) / "django.po").read_text())


def lacking(sentences: set[str], language: str) -> list[str]:
    """Those without a text in the language."""
    known = pairs(language)
    return sorted(text for text in sentences if not known.get(text))


def main() -> str:
    """Compiles all; returns what is lacking, a line each."""
    lines: list[str] = []
    for language in LANGUAGES:
        (folder(language) / "django.mo").write_bytes(compiled(pairs(language)))
        lines += [f"{language}: {text!r}" for text in lacking(of_pages() | of_answers(), language)]
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(main() or None)
