-- Locks loops in the order of their ids. A statement of its own, so that the read after it has a newer snapshot.
-- Parameters: (bigint[])
SELECT loop_id FROM pull_loopstate WHERE loop_id = ANY($1) ORDER BY loop_id FOR UPDATE
