-- What a card's last scan wrote, in order.
-- Parameters: (uuid)
SELECT type, data::text, occurred_at, card_id, turn_number, turn, from_status, to_status, loop_seq, ordinal
FROM pull_event WHERE scan_id = $1 ORDER BY ordinal
