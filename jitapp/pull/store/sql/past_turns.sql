-- The turns of a loop that were closed since an instant, with the numbers of their cards.
-- Parameters: (bigint, timestamptz)
SELECT c.number, json_build_array({turn:t})::text FROM pull_turn t JOIN pull_card c ON c.id = t.card_id
WHERE t.loop_id = $1 AND t.closed_at >= $2
