"""`manage.py decode`: a JSON object for every line, whatever it holds, where no setting makes sense."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from io import BytesIO, StringIO
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from jitapp.symbology import lines

ROOT = Path(__file__).parents[2]


def decoded(source: bytes, *options: str) -> list[dict[str, object]]:
    target = StringIO()
    lines.run(options, BytesIO(source), target)
    return [json.loads(line) for line in target.getvalue().splitlines()]


def test_every_line_has_its_object_in_order() -> None:
    source = b'"]d20109501101530003\\u001d10ABC"\njunk\n\n17\n"KB00015NM7C"\n"\\ud800"\n\xff\n[[[\n'
    assert [line["kind"] for line in decoded(source)] == ["gs1", *["unknown"] * 3, "card", *["unknown"] * 3]
    assert decoded(b'"P12345"', "--di", "P,Q") == [
        {"kind": "identifier", "di": [["P", "12345"]], "problems": []}
    ]
    (tag,) = decoded(b'"3034257BF7194E4000001A85"', "--epc")
    assert tag["tag_urn"] == "urn:epc:tag:sgtin-96:1.0614141.812345.6789"


@given(st.lists(st.binary(max_size=30).filter(lambda line: b"\n" not in line), max_size=4))
def test_any_bytes_are_answered_line_by_line(source: list[bytes]) -> None:
    assert len(decoded(b"".join(line + b"\n" for line in source))) == len(source)


def test_the_command_runs_without_database_and_with_settings_that_make_no_sense() -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "decode"],
        input=b'"KB00015NM7C"\n',
        cwd=ROOT,
        env={
            **os.environ,
            "JITAPP_ERP_URL": "nonsense",
            "DATABASE_URL": "postgres://nobody@127.0.0.1:1/none",
        },
        capture_output=True,
        check=True,
    )
    assert json.loads(done.stdout) == {"kind": "card", "card": "KB00015NM7C", "problems": []}
    assert done.stderr == b""
