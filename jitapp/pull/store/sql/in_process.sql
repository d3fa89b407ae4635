-- Cards in process at a supply station (rule C7).
-- Parameters: (bigint)
SELECT count(*) FROM pull_turn WHERE supply_id = $1 AND step = 'IN_PROCESS' AND closed_at IS NULL
