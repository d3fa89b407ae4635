-- Adds to what a turn took from one component loop.
-- Parameters: (bigint, bigint, numeric, numeric, numeric, numeric, boolean)
INSERT INTO pull_draw (turn_id, loop_id, needed, drawn, booked, short, used)
VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (turn_id, loop_id)
DO UPDATE SET drawn = pull_draw.drawn + excluded.drawn, booked = pull_draw.booked + excluded.booked,
    short = excluded.short, used = pull_draw.used OR excluded.used
