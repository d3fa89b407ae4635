-- What codes point to; the code of a bin stands for its card.
-- Parameters: (text[])
SELECT i.code, CASE WHEN b.card_id IS NULL THEN i.kind ELSE 'card' END, coalesce(b.card_id, i.target_id), c.loop_id
FROM plant_identifier i
LEFT JOIN pull_bin b ON i.kind = 'bin' AND b.id = i.target_id
LEFT JOIN pull_card c ON c.id = CASE i.kind WHEN 'card' THEN i.target_id WHEN 'bin' THEN b.card_id END
WHERE i.code = ANY($1)
