-- What a turn was to take of one loop.
-- Parameters: (bigint, bigint)
SELECT needed FROM pull_draw WHERE turn_id = $1 AND loop_id = $2
