-- Closes and opens waits.
-- Parameters: (jsonb)
WITH closed AS (
    UPDATE pull_wait w SET closed_at = n.closed_at, closed_seq = n.closed_seq
    FROM jsonb_to_recordset($1->'closed') AS n(uuid uuid, closed_at timestamptz, closed_seq bigint)
    WHERE w.uuid = n.uuid AND w.closed_at IS NULL
    RETURNING w.id
)
INSERT INTO pull_wait (uuid, turn_id, loop_id, reason, owner, opened_at, opened_seq, closed_at, closed_seq)
SELECT uuid, turn_id, loop_id, reason, owner, opened_at, opened_seq, closed_at, closed_seq
FROM jsonb_to_recordset($1->'opened') AS n(uuid uuid, turn_id bigint, loop_id bigint, reason text, owner text,
    opened_at timestamptz, opened_seq bigint, closed_at timestamptz, closed_seq bigint)
-- After `closed`: a turn has one open wait at a time.
WHERE (SELECT count(*) FROM closed) >= 0
