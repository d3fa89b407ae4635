"""Public test suites as rows for the decoder.

Their files are never copied into the project: `JITAPP_VECTORS` names a folder of JSON rows, `JITAPP_SUITES` one with
the original files, under their own names, of

    zint (BSD-3-Clause)                    backend/tests/: test_gs1.c; test_dmatrix.c, test_dotcode.c, test_pdf417.c ...
    GS1 Syntax Engine (Apache-2.0)         src/c-lib/: ai.c, dl.c
    Solidsoft AIDC parser (Apache-2.0)     Parser.feature
    epcpy (MIT)                            tests/utils/test_data.py
    EPC Tag Data Standard 2.3, annex E.3   epc_e3.py: rows ("SGTIN+", "F737...", "/01/.../21/...")
    labels in tests of other programs      labels*.txt, .py, .php: every quoted message that begins with [)>

`python -m tests.symbology.suites` prints rows right / rows of each, and every row that is not.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from jitapp.symbology.decode import decode, decode_epc
from jitapp.symbology.digital_link import read_digital_link
from jitapp.symbology.envelope import GS, RS
from jitapp.symbology.reading import Kind, Reading


@dataclass(frozen=True)
class Row:
    """One row of a suite: what is read, and what the suite says of it. What it does not say is not compared."""

    suite: str
    id: str
    raw: str
    valid: bool
    kind: Kind | None = None
    ai: list[tuple[str, str]] | None = None
    di: list[tuple[str, str]] | None = None
    urn: str = ""
    tag_urn: str = ""
    is_tag: bool = False
    fields: str = ""  # the data identifiers with their values, joined as they stand in the message
    note: str = field(default="", compare=False)

    def reading(self) -> Reading:
        """What the decoder makes of it."""
        return decode_epc(self.raw) if self.is_tag else decode(self.raw)

    def right(self) -> bool:
        """Whether the decoder agrees: the same content and no problem, or for what is not valid a named problem."""
        found = self.reading()
        if not self.valid:
            return bool(found.problems) or (self.kind is not None and found.kind != self.kind)
        return (
            not found.problems
            and self.kind in (None, found.kind)
            and (self.ai is None or list(found.ai.items()) == self.ai)
            and (self.di is None or list(found.di) == self.di)
            and self.fields in ("", GS.join(name + value for name, value in found.di))
            and self.urn in ("", found.urn)
            and self.tag_urn in ("", found.tag_urn)
        )


def vectors() -> list[Row]:
    """The rows of the folder `JITAPP_VECTORS`; none without it."""
    folder = os.environ.get("JITAPP_VECTORS")
    if not folder:
        return []
    rows: list[Row] = []
    for name, read in _VECTORS.items():
        rows += (row for each in json.loads((Path(folder) / name).read_text()) for row in read(each))
    return rows


def suites() -> list[Row]:
    """The rows of the original files in the folder `JITAPP_SUITES`; none without it."""
    folder = os.environ.get("JITAPP_SUITES")
    if not folder:
        return []
    rows: list[Row] = []
    for path in sorted(Path(folder).iterdir()):
        for pattern, read in _SUITES.items():
            if re.fullmatch(pattern, path.name):
                rows += read(path.name, path.read_text(encoding="utf-8", errors="replace"))
    return rows


# -- the folder of JSON rows -----------------------------------------------------------------------------------
Json = dict[str, object]


def _pairs(pairs: object) -> list[tuple[str, str]]:
    return [(str(first), str(second)) for first, second in pairs]  # type: ignore[attr-defined]


def _gs1_rows(row: Json) -> Iterator[Row]:
    expect = row["expect"]
    assert isinstance(expect, dict)
    ai = _pairs(expect["elements"]) if expect["valid"] else None
    for carrier, raw in (
        ("]d2", f"]d2{row['input']}"),
        ("GS", f"{GS}{row['input']}"),
        ("(ai)", row["bracketed"]),
    ):
        if raw:
            yield Row(f"vectors gs1 {carrier}", str(row["id"]), str(raw), bool(expect["valid"]), Kind.GS1, ai)


def _link_rows(row: Json) -> Iterator[Row]:
    expect = row["expect"]
    assert isinstance(expect, dict)
    ai = _pairs(expect["elements"]) if expect["valid"] else None
    note = json.dumps(row.get("options", ""))
    yield Row(
        "vectors digital link",
        str(row["id"]),
        str(row["input"]),
        bool(expect["valid"]),
        Kind.DIGITAL_LINK,
        ai,
        note=note,
    )


def _iso_rows(row: Json) -> Iterator[Row]:
    expect = row["expect"]
    assert isinstance(expect, dict)
    di = [pair for each in expect.get("formats", ()) for pair in _pairs(each["elements"] or ())]
    yield Row(
        "vectors iso15434", str(row["id"]), str(row["input"]), bool(expect["valid"]), Kind.ISO15434, None, di
    )


def _tag_rows(row: Json) -> Iterator[Row]:
    expect = row["expect"]
    assert isinstance(expect, dict)
    urn, tag_urn = str(expect["pure_identity_uri"]), str(expect["tag_uri"])
    elements = expect.get("gs1_element_string")
    ai = list(decode(str(elements)).ai.items()) if elements else None
    yield Row(
        "vectors epc hex",
        str(row["id"]),
        str(row["input"]),
        True,
        Kind.EPC,
        ai,
        None,
        urn,
        tag_urn,
        is_tag=True,
    )
    yield Row("vectors epc urn", str(row["id"]), tag_urn, True, Kind.EPC, ai, None, urn, tag_urn)


_VECTORS: dict[str, Callable[[Json], Iterator[Row]]] = {
    "gs1_element_strings.json": _gs1_rows,
    "digital_links.json": _link_rows,
    "iso15434_messages.json": _iso_rows,
    "epc_tag_hex.json": _tag_rows,
}


# -- original files --------------------------------------------------------------------------------------------
_LITERAL = r'"((?:[^"\\]|\\.)*)"'


def _text(literal: str) -> str:
    """What a string literal of C, Python or PHP says."""
    return re.sub(
        r"\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|([0-7]{1,3})|(.))",
        lambda found: (
            chr(int(found[1] or found[2], 16))
            if found[1] or found[2]
            else chr(int(found[3], 8))
            if found[3]
            else {"n": "\n", "r": "\r", "t": "\t"}.get(found[4], found[4])
        ),
        literal,
    )


def _zint_gs1(name: str, text: str) -> Iterator[Row]:
    """Rows of test_gs1_verify: `{ mode, data, return value, reduced data, error text, comment }`."""
    body = text[text.index("static void test_gs1_verify") :]
    row = re.compile(rf"/\*\s*(\d+)\*/ \{{ -1, {_LITERAL}, (\w+), {_LITERAL}")
    for number, data, result, reduced in row.findall(body[: body.index("testFinish")]):
        shown, meant = _text(data), _text(reduced)
        if not shown.startswith("["):
            continue
        raw = f"]C1{meant}" if result == "0" else re.sub(r"\[(\d+)\]", r"(\1)", shown)
        pairs = re.findall(r"\[(\d+)\]([^\[]*)", shown) if result == "0" else None
        yield Row("zint test_gs1.c", f"{name}:{number}", raw, result == "0", Kind.GS1, pairs)


def _engine_elements(name: str, text: str) -> Iterator[Row]:
    """Calls of test_processAIdata(valid, "^...")."""
    calls = re.compile(rf"^\s*test_processAIdata\((true|false),\s*{_LITERAL}\)", re.MULTILINE)
    for number, (valid, data) in enumerate(calls.findall(text)):
        raw = _text(data)
        if raw.startswith("^"):
            raw = "]C1" + raw[1:].replace("^", GS)
        yield Row("GS1 Syntax Engine ai.c", f"{name}:{number}", raw, valid == "true", Kind.GS1)


def _engine_links(name: str, text: str) -> Iterator[Row]:
    """Calls of test_parseDLuri(valid, address, elements); what is read under special options says so."""
    options: set[str] = set()
    line = re.compile(
        rf"permitConvenienceAlphas = (true|false)|set(PermitZero\w+|PermitUnknownAIs)\(ctx, (true|false)\)"
        rf"|setValidationEnabled\(ctx, gs1_encoder_(\w+), (true|false)\)"
        rf"|test_parseDLuri\((true|false),[^\"]*?{_LITERAL},\s*{_LITERAL}\)",
        re.DOTALL,
    )
    body = text[text.index("void test_dl_parseDLuri") :]
    for number, found in enumerate(line.finditer(body[: body.index("#undef test_parseDLuri")])):
        alphas, permit, on, validation, off, valid, address, elements = found.groups()
        if valid is None:
            name_of = "alphas" if alphas else permit or validation
            turned = alphas == "true" or on == "true" or off == "false"
            options = options | {name_of} if turned else options - {name_of}
            continue
        yield Row(
            "GS1 Syntax Engine dl.c",
            f"{name}:{number}",
            _text(address),
            valid == "true",
            Kind.DIGITAL_LINK,
            list(decode("]C1" + _text(elements)[1:].replace("^", GS)).ai.items())
            if valid == "true"
            else None,
            note=", ".join(sorted(options)),
        )


def _solidsoft(name: str, text: str) -> Iterator[Row]:
    """Rows of the tables of examples; the scenario says of what they are and whether they are valid."""
    for number, part in enumerate(text.split("Scenario Outline: ")[1:]):
        title = part.split("\n", 1)[0]
        for line in part[part.find("Examples:") :].splitlines()[2:]:
            cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
            if len(cells) < 3:
                continue
            raw = cells[0].replace("<GS>", GS).replace("<RS>", RS).replace("<EOT>", "\x04")
            pairs = [(cells[at], cells[at + 1]) for at in range(1, len(cells) - 1, 2) if cells[at]]
            valid = "invalid" not in title
            if "MH10" in title:
                yield Row(
                    "Solidsoft Parser.feature", f"{name}:{number}", raw, valid, Kind.ISO15434, None, pairs
                )
            elif "GS1" in title:
                yield Row("Solidsoft Parser.feature", f"{name}:{number}", f"]C1{raw}", valid, Kind.GS1, pairs)
            else:
                symbol = "" if len(raw) < 15 else "]E3"
                yield Row(
                    "Solidsoft Parser.feature", f"{name}:{number}", symbol + raw, valid, Kind.GTIN, pairs
                )


def _epcpy(name: str, text: str) -> Iterator[Row]:
    """Dictionaries with uri, tag_uri and hex, of valid data and of invalid."""
    good, _, bad = text.partition("INVALID_TEST_DATA")
    for valid, part in ((True, good), (False, bad)):
        for number, block in enumerate(re.findall(r"\{[^{}]*\}", part)):
            said = dict(re.findall(rf'"(\w+)": {_LITERAL}', block))
            urn, tag_urn = said.get("uri", ""), said.get("tag_uri", "")
            if urn:
                yield Row("epcpy test_data.py", f"{name}:{valid}:{number}", urn, valid, Kind.EPC, urn=urn)
            if "hex" in said and valid:
                yield Row(
                    "epcpy test_data.py",
                    f"{name}:hex:{number}",
                    said["hex"],
                    valid,
                    Kind.EPC,
                    urn=urn,
                    tag_urn=tag_urn,
                    is_tag=True,
                )


def _annex_e3(name: str, text: str) -> Iterator[Row]:
    """Tuples of a scheme, the hex of its tag and the path of its Digital Link."""
    for scheme, digits, path in re.findall(r'\("([A-Z+a-z0-9-]+)",\s*"([0-9A-F]+)",\s*"(/[^"]+)"\)', text):
        elements = read_digital_link(f"https://id.gs1.org{path}")
        assert elements is not None, path
        wanted = [(ai, unquote(value)) for ai, value in elements.ai.items()]
        yield Row("TDS 2.3 annex E.3", f"{name}:{scheme}", digits, True, Kind.EPC, wanted, is_tag=True)


def _labels(name: str, text: str) -> Iterator[Row]:
    """Every quoted message is read without a problem; where all of it is one format 06 of data identifiers, the
    identifiers and values that were read, joined again, are the message."""
    text = re.sub(r"""(["'])\s*\n\s*\1""", "", text)
    # Zint's comments spell the controls out, and some of its messages are too short to say anything.
    found = re.findall(r"""(["'])(>?\[\)>(?:(?!\1)[^\\\n]|\\.)*)\1""", text)
    for number, literal in enumerate(dict.fromkeys(literal for _, literal in found)):
        raw = _text(literal).replace("\\R", RS).replace("\\G", GS).replace("\\E", "\x04")
        if ";" not in raw and raw.isascii() and len(raw) > 15:
            whole = re.fullmatch(rf">?\[\)>{RS}?06{GS}([^+{RS}][^{RS}]*?)(?:{RS}\x04?)?", raw)
            fields = whole[1] if whole else ""
            yield Row("labels in other programs", f"{name}:{number}", raw, True, Kind.ISO15434, fields=fields)


_SUITES: dict[str, Callable[[str, str], Iterator[Row]]] = {
    r"test_gs1\.c": _zint_gs1,
    r"ai\.c": _engine_elements,
    r"dl\.c": _engine_links,
    r"Parser\.feature": _solidsoft,
    r"test_data\.py": _epcpy,
    r"epc_e3.*": _annex_e3,
    r"(?:test_(?!gs1|data).*\.c|labels.*)": _labels,
}


def main() -> None:
    """Counts and disagreements."""
    rows = [*vectors(), *suites()]
    for suite in dict.fromkeys(row.suite for row in rows):
        mine = [row for row in rows if row.suite == suite]
        wrong = [row for row in mine if not row.right()]
        sys.stdout.write(f"{suite}: {len(mine) - len(wrong)} / {len(mine)}\n")
        for row in wrong:
            sys.stdout.write(
                f"    {row.id} {row.raw!r} valid={row.valid} {row.note} {row.reading().told()}\n"
            )


if __name__ == "__main__":
    main()
