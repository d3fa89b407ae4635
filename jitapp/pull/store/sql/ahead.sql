-- Turns of a supply station that were released before an instant and are not started.
-- Parameters: (bigint, timestamptz)
SELECT count(*) FROM pull_turn WHERE supply_id = $1 AND step = '' AND closed_at IS NULL
    AND signal_state IN ('RELEASED', 'ACKNOWLEDGED') AND released_at < $2
