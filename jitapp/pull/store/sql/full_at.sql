-- Usable containers at a demand source, against its receiving limit.
-- Parameters: (bigint)
SELECT count(*) FROM pull_container c JOIN plant_loop l ON l.id = c.loop_id WHERE l.demand_id = $1 AND c.usable
