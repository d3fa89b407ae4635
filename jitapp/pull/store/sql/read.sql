-- Everything the rules need of locked loops.
-- Parameters: (bigint[])
-- One text a card, read in a fraction of the time that fifty columns take: the loop's own counters and what surrounds
-- it, then the fields of kanban.state.Card and of its open Turn in their order, so that they are built as they come.
SELECT json_build_array(
    json_build_array(s.loop_id, json_build_array({counters:s}),
        (SELECT number FROM plant_epoch WHERE id = 1), a.why, r.opened_at, r.opened_seq),
    CASE WHEN c.id IS NOT NULL THEN json_build_array({card:c}) END,
    CASE WHEN t.id IS NOT NULL THEN json_build_array({turn:t}) END)::text
FROM pull_loopstate s
JOIN plant_loop l ON l.id = s.loop_id
LEFT JOIN LATERAL (
    SELECT CASE note WHEN '' THEN kind ELSE note END AS why FROM pull_andoncall
    WHERE station_id = l.supply_id AND stops_line AND solved_at IS NULL ORDER BY called_at LIMIT 1
) a ON true
LEFT JOIN LATERAL (
    SELECT opened_at, opened_seq FROM pull_runout WHERE loop_id = s.loop_id AND closed_at IS NULL LIMIT 1
) r ON true
LEFT JOIN pull_card c ON c.loop_id = s.loop_id AND c.card_status <> 'REMOVED'
LEFT JOIN LATERAL (SELECT * FROM pull_turn WHERE card_id = c.id AND closed_at IS NULL LIMIT 1) t ON true
WHERE s.loop_id = ANY($1)
ORDER BY s.loop_id, c.number
