-- Locks stations in the order of their ids: only where a limit may be touched.
-- Parameters: (bigint[])
SELECT id FROM plant_station WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE
