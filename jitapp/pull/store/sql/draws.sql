-- The component loops that a turn has dealt with: booked or drawn ($2: only drawn).
-- Parameters: (bigint, boolean)
SELECT loop_id FROM pull_draw WHERE turn_id = $1 AND (used OR NOT $2)
