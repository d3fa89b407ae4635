-- Adds to an edge of the pull chain; what is taken away is negative.
-- Parameters: (bigint, bigint, int, text, numeric, numeric)
INSERT INTO pull_turnlink (downstream_id, upstream_card_id, upstream_number, kind, quantity, booked)
VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (downstream_id, upstream_card_id, upstream_number)
DO UPDATE SET quantity = pull_turnlink.quantity + excluded.quantity,
    booked = pull_turnlink.booked + excluded.booked
