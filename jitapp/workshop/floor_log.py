"""A real shop's log, read: one `Report` a line, checked, in the order of completion.

The columns are `COLUMNS`; times are local and carry no zone, so they are taken as UTC. Nothing is repaired: a
line that cannot be read stops the reading with its number and column, because a log half understood gives a shop
nobody worked in.
"""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from jitapp.kanban.instants import in_range

COLUMNS = (
    "work_order",
    "part",
    "order_qty",
    "operation",
    "machine",
    "worker",
    "report",
    "started_at",
    "completed_at",
    "good_qty",
    "reject_qty",
)


LONGEST = 200  # characters in a field; names are far shorter
MOST_PIECES = 10_000_000  # of one report or order: each container of them becomes scans
_NO_LIMIT = 2**31 - 1


class LogError(ValueError):
    """A line of the log that cannot be read; the text names the line and what to do."""


class ReportKind(StrEnum):
    """What a worker reported."""

    PRODUCTION = "production"
    SETUP = "setup"
    BREAKDOWN = "breakdown"


@dataclass(frozen=True)
class Report:
    """One line of the log. Times are UTC; quantities are pieces."""

    line: int
    order: str
    part: str
    order_quantity: int
    operation: str
    machine: str
    worker: str
    kind: ReportKind
    started: datetime
    completed: datetime
    good: int
    rejected: int

    @property
    def used(self) -> int:
        """Pieces the operation took in: the good ones and the rejected ones."""
        return self.good + self.rejected


def read_log_file(path: Path) -> list[Report]:
    """`read_log` of a file. Raises LogError also for another encoding, with the line, and OSError."""
    data = path.read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise LogError(
            f"Line {line} is not UTF-8 text (byte 0x{data[error.start]:02x}). Save it as UTF-8."
        ) from None
    return read_log(io.StringIO(text, newline=""))


def read_log(lines: Iterable[str]) -> list[Report]:
    """The reports of a CSV log, ordered by completion; equal times keep the order of the file.

    Raises LogError for a missing or doubled column, a field that is empty, too long or not printable, a number or a
    time that cannot be read, a report that ends before it starts, and a log without a single report.
    """
    with _long_fields():
        table = csv.DictReader(lines)
        _check_heading(table.fieldnames or ())
        reports = list(_reports(table))
    if not reports:
        raise LogError("The log holds no report: there is a heading and nothing below it.")
    return sorted(reports, key=lambda report: (report.completed, report.line))


@contextmanager
def _long_fields() -> Iterator[None]:
    """The CSV reader gives up at a long field without saying which; here it is read, and refused by name."""
    before = csv.field_size_limit(_NO_LIMIT)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _check_heading(names: Iterable[str]) -> None:
    found = list(names)
    if not found:
        raise LogError(f"The log is empty. Its first line must name {', '.join(COLUMNS)}.")
    missing = [column for column in COLUMNS if column not in found]
    if missing:
        raise LogError(
            f"The log has no column {', '.join(missing)}. Its first line must name {', '.join(COLUMNS)}."
        )
    for column in COLUMNS:
        if found.count(column) > 1:
            raise LogError(f"Line 1 names the column {column} more than once. Take one of them out.")


def _reports(table: csv.DictReader[str]) -> Iterator[Report]:
    begins = table.line_num + 1
    for row in table:
        _check_fields(row, begins)
        yield _report(row, table.line_num)
        begins = table.line_num + 1


def _check_fields(row: dict[str, str | None], line: int) -> None:
    """What no field may be, whatever it means; `line` is where the row begins."""
    beyond = len(row.get(None) or ())  # type: ignore[call-overload]  # csv keeps them under None
    if beyond:
        raise LogError(
            f"Line {line} has more fields than the heading has columns ({beyond} too many). Put texts with a comma in"
            " quotation marks."
        )
    for column in COLUMNS:
        value = row[column] or ""
        if any(unicodedata.category(sign) == "Cc" and sign != "\t" for sign in value):
            raise LogError(
                f"Line {line}: {column} holds a line break or another control character. Close its quotation mark, or"
                " take the character out."
            )
        if len(value) > LONGEST:
            raise LogError(
                f"Line {line}: {column} is {len(value)} characters long, at most {LONGEST} are read. Shorten it."
            )


def _report(row: dict[str, str | None], line: int) -> Report:
    started = _time(row, "started_at", line)
    completed = _time(row, "completed_at", line)
    if completed < started:
        raise LogError(f"Line {line}: completed_at lies before started_at. Correct one of them.")
    kind = _text(row, "report", line)
    if kind not in list(ReportKind):
        raise LogError(f"Line {line}: report is {kind!r}; it must be one of {', '.join(ReportKind)}.")
    return Report(
        line=line,
        order=_text(row, "work_order", line),
        part=_text(row, "part", line),
        order_quantity=_pieces(row, "order_qty", line),
        operation=_text(row, "operation", line),
        machine=_text(row, "machine", line),
        worker=_text(row, "worker", line),
        kind=ReportKind(kind),
        started=started,
        completed=completed,
        good=_pieces(row, "good_qty", line),
        rejected=_pieces(row, "reject_qty", line),
    )


def _text(row: dict[str, str | None], column: str, line: int) -> str:
    value = (row[column] or "").strip()
    if not value:
        raise LogError(f"Line {line}: {column} is empty. Fill it in.")
    return value


def _pieces(row: dict[str, str | None], column: str, line: int) -> int:
    value = _text(row, column, line)
    if not (value.isascii() and value.isdigit() and int(value) <= MOST_PIECES):
        raise LogError(
            f"Line {line}: {column} is {value!r}; it must be a whole number of pieces, 0 to {MOST_PIECES}."
        )
    return int(value)


def _time(row: dict[str, str | None], column: str, line: int) -> datetime:
    value = _text(row, column, line)
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise LogError(f"Line {line}: {column} is {value!r}; write it as 2012-01-31T06:00.") from None
    try:
        return in_range(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except ValueError as error:
        raise LogError(f"Line {line}: {column} is {value!r} and {error}. Correct it.") from None
