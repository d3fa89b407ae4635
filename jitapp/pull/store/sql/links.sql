-- What a turn has been promised from the containers of one loop.
-- Parameters: (bigint, bigint)
SELECT l.upstream_card_id, l.upstream_number, l.quantity, l.booked FROM pull_turnlink l
JOIN pull_card c ON c.id = l.upstream_card_id
WHERE l.downstream_id = $1 AND c.loop_id = $2 AND l.booked > 0 ORDER BY l.id
