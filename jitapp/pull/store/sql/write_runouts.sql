-- Closes, revises and opens runouts.
-- Parameters: (json, json)
WITH changed AS (
    UPDATE pull_runout r SET opened_at = n.opened_at, closed_at = n.closed_at, closed_seq = n.closed_seq,
        cause = n.cause, cause_facts = n.cause_facts, owner = n.owner
    FROM json_to_recordset($1) AS n(loop_id bigint, opened_seq bigint, opened_at timestamptz, closed_at timestamptz,
        closed_seq bigint, cause text, cause_facts jsonb, owner text)
    WHERE r.loop_id = n.loop_id AND r.opened_seq = n.opened_seq
    RETURNING r.id
)
INSERT INTO pull_runout (uuid, loop_id, opened_at, opened_seq, closed_at, closed_seq, cause, cause_facts, owner)
SELECT uuid, loop_id, opened_at, opened_seq, closed_at, closed_seq, cause, cause_facts, owner
FROM json_to_recordset($2) AS n(uuid uuid, loop_id bigint, opened_at timestamptz, opened_seq bigint,
    closed_at timestamptz, closed_seq bigint, cause text, cause_facts jsonb, owner text)
-- After `changed`: a batch may end a loop's runout and begin the next, and one may be open at a time.
WHERE (SELECT count(*) FROM changed) >= 0
