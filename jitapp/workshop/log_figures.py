"""`python -m jitapp.workshop.log_figures LOG.csv`: the figures of docs/real-log.md, from a run on servers of its own.

Everything is replayed in one process with nobody beside it, so that the figures are the same each time; what is not,
stands apart and says so.
"""

from __future__ import annotations

import argparse
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from jitapp.env import BASE_DIR
from jitapp.workshop.embedded import start_both

if TYPE_CHECKING:
    from jitapp.pull.proof.verify import Report
    from jitapp.workshop.replaying import Summary

PAGE = BASE_DIR / "docs" / "real-log.md"
BEGIN = "<!-- From here on written by `python -m jitapp.workshop.log_figures`. -->\n"
END = "<!-- To here. -->\n"
WORDS = {
    "overproduction": "refused as `overproduction`",
    "wrong_step": "refused as `wrong_step` (overproduction too: the card was on its way)",
    "wip_limit": "refused by the station's WIP limit, `wip_limit`",
}


@dataclass(frozen=True, slots=True)
class Run:
    """A conversion's figures, its replay, what `verify` said, and the same replay again."""

    converted: Mapping[str, int]
    summary: Summary
    report: Report
    again: Summary


def tables(run: Run) -> str:
    """Both tables, and what was measured."""
    rate, again = (round(each.scans / each.seconds, -1) for each in (run.summary, run.again))
    return (
        f"{_table(_converted(run.converted))}\n{_table(_replayed(run))}\n"
        f"One process took {rate:.0f} scans a second, and {again:.0f} when it was replayed again and every answer was"
        " known; that says more about the machine and what else it did than about the log.\n"
    )


def written(page: str, text: str) -> str:
    """The page with these tables. Raises ValueError if it has lost the lines between which they stand."""
    before, begun, rest = page.partition(BEGIN)
    _, ended, after = rest.partition(END)
    if not (begun and ended):
        raise ValueError(f"The page lacks one of these lines: {BEGIN.strip()} {END.strip()}")
    return f"{before}{BEGIN}\n{text}\n{END}{after}"


def _converted(found: Mapping[str, int]) -> list[tuple[str, str]]:
    def of(*names: str) -> str:
        return ", ".join(f"{found[name]:,}" for name in names)

    return [
        ("converted", ""),
        ("reports, work orders, parts, operations", of("reports", "work orders", "parts", "operations")),
        ("good pieces reported", of("pieces reported")),
        (
            "moves between operations, of them against the route and left out",
            of("moves between operations", "moves against the route, left out"),
        ),
        ("loops, cards", of("loops", "cards")),
        ("scans, station events", of("scans", "station events")),
        ("containers completed short at the end of an order", of("short containers")),
        ("pieces taken in that no earlier operation had reported", of("pieces without origin")),
        ("pieces still lying loose at the end: made, never asked for", of("pieces left loose")),
        ("work orders that stop before the last operation", of("unfinished work orders")),
    ]


def _replayed(run: Run) -> list[tuple[str, str]]:
    summary = run.summary
    applied = summary.outcomes["applied"]
    runouts = {cause: len(lasted) for cause, lasted in summary.runouts.items()}
    causes = sorted(runouts.items(), key=lambda item: (-item[1], item[0]))
    return [
        ("replayed", ""),
        (
            "applied",
            f"{applied:,} of {summary.scans:,} scans, {summary.applied_share:.1%}".replace("%", " %"),
        ),
        *(
            (WORDS.get(code, f"{outcome}: `{code}`"), f"{count:,}")
            for (outcome, code), count in summary.codes.most_common()
        ),
        (
            "runouts",
            f"{sum(runouts.values()):,}, of them {summary.runouts_open:,} open when the log ends,"
            f" {summary.runouts_linked:,} tied to a runout upstream",
        ),
        ("by cause", ", ".join(f"`{cause}` {count:,}" for cause, count in causes)),
        ("`verify`", f"{run.report.events:,} events, {run.report.total:,} differences"),
    ]


def _table(rows: list[tuple[str, str]]) -> str:
    (head, _), *rest = rows
    return "".join(["| " + head + " | |\n|---|---|\n", *(f"| {name} | {value} |\n" for name, value in rest)])


def main() -> None:
    """Starts empty servers, durable as in production, and writes the page; `--print` only shows the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("log", type=Path, metavar="CSV")
    parser.add_argument("--print", action="store_true", dest="only_print", help="do not write the page")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="jitapp-log-") as name:
        servers = start_both(Path(name))
        try:
            environment = {
                **os.environ,
                "DATABASE_URL": servers.postgres.url,
                "REDIS_URL": servers.valkey.url,
                "SECRET_KEY": secrets.token_urlsafe(48),
                "JITAPP_DATA": name,
                "JITAPP_STATEMENT_TIMEOUT_MS": "600000",
            }
            owner = {"DATABASE_OWNER_URL": servers.postgres.owner_url}
            command = [sys.executable, str(BASE_DIR / "manage.py")]
            subprocess.run([*command, "migrate", "--verbosity", "0"], env=environment | owner, check=True)
            figures = [*command, "log_figures", str(wanted.log.absolute())]
            done = subprocess.run(figures, env=environment, check=True, stdout=subprocess.PIPE, text=True)
        finally:
            servers.stop(remove=True)
    if wanted.only_print:
        sys.stdout.write(done.stdout)
    else:
        PAGE.write_text(
            written(PAGE.read_text(encoding="utf-8"), done.stdout.strip() + "\n"), encoding="utf-8"
        )


if __name__ == "__main__":
    main()
