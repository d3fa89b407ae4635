-- What a card's last scan wrote onto its loop, in order; and whether the scan detached a card of another loop.
-- Parameters: (uuid, bigint)
SELECT type, data::text, occurred_at, card_id, turn_number, turn, from_status, to_status, loop_seq, ordinal
FROM pull_event WHERE scan_id = $1 AND (loop_id = $2 OR type = 'card.detached') ORDER BY ordinal
