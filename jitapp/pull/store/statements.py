"""The statements of the scan path: a file each under sql/, with a comment that says what it is for.

Each becomes a prepared statement `pull_<file>`: psycopg2 speaks the simple protocol, and without PREPARE each would be
planned again on every scan. `{card:c}` and the like are the columns of store/columns.py.
"""

from __future__ import annotations

import re
from pathlib import Path

from jitapp.pull.store.columns import PLACES

_PARAMETERS = re.compile(r"^-- Parameters: (\(.*\))$", re.MULTILINE)
_PLACE = re.compile(r"\{(\w+)(?::(\w+))?\}")


def _prepared(file: Path) -> str:
    text = file.read_text(encoding="utf-8")
    found = _PARAMETERS.search(text)
    if found is None:
        raise ValueError(f"{file.name} does not say its parameters.")
    body = _PLACE.sub(lambda place: format(PLACES[place[1]], place[2] or ""), text)
    return f"{found[1]} AS\n{body}"


PREPARED: dict[str, str] = {
    f"pull_{file.stem}": _prepared(file) for file in sorted((Path(__file__).parent / "sql").glob("*.sql"))
}
