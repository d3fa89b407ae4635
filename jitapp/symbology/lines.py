"""`manage.py decode`: one JSON string a line in, one JSON object a line out."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from typing import IO

from jitapp.symbology.decode import DEFAULT, Site, decode, decode_epc
from jitapp.symbology.reading import Reading

ABOUT = (
    "Reads one JSON string per line on stdin (a raw scan, control characters escaped) and prints what it means, one"
    " JSON object per line. Needs no database and no settings."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("--epc", action="store_true", help="the lines are the hex of RFID tags")
    parser.add_argument(
        "--di",
        default="",
        metavar="P,Q,...",
        help="data identifiers that stand alone in a symbol at this site",
    )


def site_of(identifiers: str) -> Site:
    """The site whose single data identifiers are written `P,Q,15K`."""
    names = frozenset(name.strip() for name in identifiers.split(",") if name.strip())
    return Site(identifiers=names) if names else DEFAULT


def run(arguments: Sequence[str], source: IO[bytes], target: IO[str]) -> None:
    """The command without Django: it works where no installation is and no setting makes sense."""
    parser = argparse.ArgumentParser(prog="manage.py decode", description=ABOUT)
    add_arguments(parser)
    options = parser.parse_args(arguments)
    for line in decoded_lines(source, epc=options.epc, site=site_of(options.di)):
        target.write(f"{line}\n")
        target.flush()  # a program at the other end may wait for it


def decoded_lines(source: IO[bytes], *, epc: bool, site: Site = DEFAULT) -> Iterator[str]:
    """A JSON object for every line, also for those that cannot be read."""
    for line in source:
        yield json.dumps(_decoded(line, epc=epc, site=site).told())


def _decoded(line: bytes, *, epc: bool, site: Site) -> Reading:
    try:
        raw = json.loads(line.decode("utf-8", "surrogateescape"))
    except (ValueError, RecursionError):
        return Reading("", problems=("This line is no JSON string.",))
    if not isinstance(raw, str):
        return Reading("", problems=("This line is no JSON string.",))
    return decode_epc(raw) if epc else decode(raw, site)
