"""The floor: what the work of a scan costs inside PostgreSQL alone, as one function called by pgbench.

The work: deduplicate by key, lock the card, advance it, append a ledger event, open (or move) the turn, write an
outbox row, store the answer; one durable commit. No HTTP, no rules, no Python. The ratio of the product to this is
what the product's rules, doors and language cost.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles
from urllib.parse import urlsplit

import psycopg2

CARDS = 20_000
LOOPS = 2_000
BATCH = 50

SCHEMA = """
DROP SCHEMA IF EXISTS floor CASCADE;
CREATE SCHEMA floor;
CREATE TABLE floor.card (
    id bigint PRIMARY KEY, loop_id bigint NOT NULL, status text NOT NULL, turn_number int NOT NULL DEFAULT 0,
    moved_at timestamptz
) WITH (fillfactor = 70);
CREATE TABLE floor.turn (
    id bigserial PRIMARY KEY, card_id bigint NOT NULL REFERENCES floor.card, number int NOT NULL, step text NOT NULL,
    opened_at timestamptz NOT NULL, closed_at timestamptz, UNIQUE (card_id, number)
) WITH (fillfactor = 80);
CREATE UNIQUE INDEX ON floor.turn (card_id) WHERE closed_at IS NULL;
CREATE TABLE floor.event (
    id bigserial PRIMARY KEY, scan_id uuid NOT NULL UNIQUE, card_id bigint NOT NULL REFERENCES floor.card,
    frm text NOT NULL, upto text NOT NULL, at timestamptz NOT NULL, data jsonb NOT NULL
);
CREATE TABLE floor.receipt (scan_id uuid PRIMARY KEY, answer jsonb NOT NULL, at timestamptz NOT NULL);
CREATE TABLE floor.outbox (id bigserial PRIMARY KEY, key bigint NOT NULL, payload jsonb NOT NULL, done_at timestamptz);
INSERT INTO floor.card (id, loop_id, status) SELECT n, n %% %(loops)s, 'FULL' FROM generate_series(1, %(cards)s) n;
CREATE FUNCTION floor.scan(key uuid, wanted bigint) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    c floor.card;
    nxt text;
    said jsonb;
BEGIN
    INSERT INTO floor.receipt (scan_id, answer, at) VALUES (key, '{}', now()) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        SELECT answer INTO said FROM floor.receipt WHERE scan_id = key;
        RETURN said;
    END IF;
    SELECT * INTO c FROM floor.card WHERE id = wanted FOR UPDATE;
    nxt := CASE c.status WHEN 'FULL' THEN 'EMPTY' WHEN 'EMPTY' THEN 'IN_PROCESS' WHEN 'IN_PROCESS' THEN 'COMPLETED'
        WHEN 'COMPLETED' THEN 'IN_TRANSIT' ELSE 'FULL' END;
    IF nxt = 'EMPTY' THEN
        INSERT INTO floor.turn (card_id, number, step, opened_at) VALUES (c.id, c.turn_number + 1, '', now());
        UPDATE floor.card SET status = nxt, moved_at = now(), turn_number = turn_number + 1 WHERE id = c.id;
    ELSE
        UPDATE floor.turn SET step = nxt, closed_at = CASE nxt WHEN 'FULL' THEN now() END
        WHERE card_id = c.id AND number = c.turn_number;
        UPDATE floor.card SET status = nxt, moved_at = now() WHERE id = c.id;
    END IF;
    INSERT INTO floor.event (scan_id, card_id, frm, upto, at, data)
    VALUES (key, c.id, c.status, nxt, now(), jsonb_build_object('intent', nxt));
    INSERT INTO floor.outbox (key, payload) VALUES (c.loop_id, jsonb_build_object('card', c.id, 'status', nxt));
    said := jsonb_build_object('id', key, 'outcome', 'applied', 'card', c.id, 'status', nxt, 'number', c.turn_number);
    UPDATE floor.receipt SET answer = said WHERE scan_id = key;
    RETURN said;
END $$;
"""
SINGLE = f"\\set card random(1, {CARDS})\nSELECT floor.scan(gen_random_uuid(), :card);\n"
# Fifty neighbours in the order of their ids, so that two batches never wait for each other in a ring.
TOGETHER = (
    f"\\set first random(0, {CARDS // BATCH - 1}) * {BATCH}\n"
    "SELECT count(floor.scan(gen_random_uuid(), :first + n)) FROM generate_series(1, 50) n;\n"
)


@dataclass(frozen=True, slots=True)
class Pace:
    """What a run reached: scans a second, and milliseconds at the 50th and 99th percentile of a transaction."""

    per_second: float
    p50: float
    p99: float


class Floor:
    """The floor's own tables in the database of the run, and pgbench against them."""

    def __init__(self, pgbench: Path, url: str, *, clients: int = 8) -> None:
        self.pgbench = pgbench
        self.url = url
        self.clients = clients

    def prepare(self) -> None:
        """Drops the tables and makes them again."""
        with psycopg2.connect(self.url) as connection, connection.cursor() as cursor:
            cursor.execute(SCHEMA, {"cards": CARDS, "loops": LOOPS})
        connection.close()

    def single(self, seconds: float) -> Pace:
        """One scan a transaction."""
        return self._run(SINGLE, seconds)

    def batch(self, seconds: float) -> Pace:
        """Fifty scans a transaction; the rate counts scans."""
        pace = self._run(TOGETHER, seconds)
        return Pace(pace.per_second * BATCH, pace.p50, pace.p99)

    def bare(self, seconds: float) -> Pace:
        """One client alone: what a single transaction takes when nobody is in its way."""
        return self._run(SINGLE, seconds, clients=1)

    def _run(self, script: str, seconds: float, clients: int | None = None) -> Pace:
        clients = clients or self.clients
        where = urlsplit(self.url)
        with tempfile.TemporaryDirectory(prefix="jitapp-bench-") as name:
            folder = Path(name)
            (folder / "script.sql").write_text(script)
            done = subprocess.run(
                [
                    str(self.pgbench),
                    *("-n", "-M", "prepared", "-f", "script.sql", "-c", str(clients)),
                    *(
                        "-j",
                        str(min(2, clients)),
                        "-T",
                        str(max(1, round(seconds))),
                        "-l",
                        "--log-prefix=times",
                    ),
                ],
                cwd=folder,
                env={
                    "PGHOST": where.hostname or "127.0.0.1",
                    "PGPORT": str(where.port or 5432),
                    "PGUSER": where.username or "",
                    "PGPASSWORD": where.password or "",
                    "PGDATABASE": where.path.lstrip("/"),
                },
                capture_output=True,
                text=True,
                check=True,
            )
            times = [
                int(line.split()[2]) / 1000
                for log in folder.glob("times.*")
                for line in log.read_text().splitlines()
            ]
        found = re.search(r"tps = ([\d.]+)", done.stdout)
        if found is None or len(times) < 2:
            raise RuntimeError(f"pgbench said nothing of its pace: {done.stdout} {done.stderr}")
        cuts = quantiles(times, n=100)
        return Pace(float(found[1]), cuts[49], cuts[98])
