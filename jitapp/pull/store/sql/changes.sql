-- The part of a loop's ledger that counts for a runout, for what is told late (kanban.runouts).
-- Parameters: (bigint, text[])
SELECT type, occurred_at, loop_seq, card_id, to_status, data::text FROM pull_event
WHERE loop_id = $1 AND (to_status <> '' OR type = ANY($2)) ORDER BY loop_seq
