"""Links that are found in the tables: under SCAN from emptied containers to consumers, and between runouts."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from jitapp.kanban.vocabulary import Consumption
from jitapp.plant.configs import Configs
from jitapp.pull import store
from jitapp.pull.store import LoopChanged


def link_scanned(messages: Sequence[tuple[int, LoopChanged]], settings: Configs) -> None:
    """Under SCAN an emptied container is tied to the turns its station had in process since it was opened."""
    for loop_id, message in messages:
        config = settings.loops.get(loop_id)
        if config is None or config.demand_consumption is not Consumption.SCAN:
            continue
        for event in message.events:
            if event.type == "card.emptied" and event.number:
                values = {"card": event.card, "number": event.number, "at": event.at}
                with store.cursor() as to_database:
                    to_database.execute(LINK_SCANNED, values)


LINK_SCANNED = """
    INSERT INTO pull_turnlink (downstream_id, upstream_card_id, upstream_number, kind, quantity, booked)
    WITH container AS MATERIALIZED (
        SELECT c.id, c.quantity, l.demand_id, l.part_id, coalesce(
            (SELECT max(e.occurred_at) FROM pull_event e WHERE e.card_id = c.id
                AND e.to_status IN ('IN_USE', 'FULL') AND e.occurred_at <= %(at)s::timestamptz),
            %(at)s::timestamptz) AS since
        FROM pull_card c JOIN plant_loop l ON l.id = c.loop_id
        WHERE c.id = %(card)s
    ), parents AS MATERIALIZED (
        SELECT parent.id FROM container c
        JOIN plant_loop parent ON parent.supply_id = c.demand_id
        JOIN plant_billofmaterials b ON b.parent_id = parent.part_id AND b.component_id = c.part_id
    )
    SELECT t.id, c.id, %(number)s, 'SCAN', c.quantity, 0
    FROM container c
    -- By the index on (loop, released_at): a turn asked for a month before the container came is not its consumer.
    JOIN pull_turn t ON t.loop_id IN (SELECT id FROM parents) AND t.released_at >= c.since - interval '30 days'
    WHERE t.started_at <= %(at)s::timestamptz AND (t.completed_at IS NULL OR t.completed_at >= c.since)
        AND t.signal_state <> 'CANCELLED'
    ON CONFLICT DO NOTHING
"""


def link_runouts(loops: Collection[int] = (), since: datetime | None = None) -> int:
    """Ties runouts to the runout of a component that their supply source lacked meanwhile: of those that have an
    instant in common, the one that began first. Returns how many changed.

    Looked at are the runouts of these loops since then and of the loops that they feed, by their instants, so that it
    is no matter who looks when; without loops, those that are open.
    """
    values = {"loops": list(loops), "since": since}
    with store.cursor() as to_database:
        to_database.execute(LINK_RUNOUTS.format(which=OF_LOOPS if loops else "d.closed_at IS NULL"), values)
        return int(to_database.rowcount)


# A late scan may change what was a month ago; nothing older is looked for.
OF_LOOPS = """
    (d.closed_at IS NULL OR d.closed_at > %(since)s::timestamptz - interval '30 days')
    AND d.loop_id IN (
        SELECT unnest(%(loops)s::bigint[])
        UNION
        SELECT dl.id FROM plant_loop ul JOIN plant_loop dl ON dl.supply_id = ul.demand_id
        WHERE ul.id = ANY(%(loops)s::bigint[])
    )
"""
LINK_RUNOUTS = """
    UPDATE pull_runout down SET upstream_id = found.upstream
    FROM (
        SELECT d.id, (
            SELECT u.id FROM plant_loop dl
            JOIN plant_loop ul ON ul.demand_id = dl.supply_id AND ul.id <> dl.id
                AND (ul.part_id = dl.part_id OR EXISTS (SELECT 1 FROM plant_billofmaterials b
                    WHERE b.parent_id = dl.part_id AND b.component_id = ul.part_id))
            JOIN pull_runout u ON u.loop_id = ul.id
                AND u.opened_at < coalesce(d.closed_at, 'infinity') AND coalesce(u.closed_at, 'infinity') > d.opened_at
            WHERE dl.id = d.loop_id
            ORDER BY u.opened_at, u.loop_id, u.opened_seq LIMIT 1
        ) AS upstream
        FROM pull_runout d WHERE {which}
    ) found
    WHERE down.id = found.id AND down.upstream_id IS DISTINCT FROM found.upstream
"""
