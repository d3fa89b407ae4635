-- What a drain asks of every turn it carries on: its stretches, and the waits that the table has of it.
-- Parameters: (uuid[])
SELECT t.id, t.uuid, t.asked, t.made, t.loop_id, t.card_id, t.number, t.stretches::text,
    w.uuid, w.reason, w.owner, w.opened_at, w.opened_seq,
    told.seen, told.until
FROM pull_turn t
LEFT JOIN pull_wait w ON w.turn_id = t.id AND w.closed_at IS NULL
CROSS JOIN LATERAL (
    SELECT max(greatest(opened_seq, closed_seq)) AS seen, max(coalesce(closed_at, opened_at)) AS until
    FROM pull_wait WHERE turn_id = t.id
) told
WHERE t.uuid = ANY($1)
