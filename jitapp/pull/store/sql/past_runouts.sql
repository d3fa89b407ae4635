-- The runouts on record of a loop.
-- Parameters: (bigint)
SELECT opened_seq, opened_at, closed_at FROM pull_runout WHERE loop_id = $1 ORDER BY opened_seq
