-- The counters of locked loops, for entries that change nothing else of them.
-- Parameters: (bigint[])
SELECT json_build_array(s.loop_id, json_build_array({counters:s}))::text FROM pull_loopstate s WHERE s.loop_id = ANY($1)
