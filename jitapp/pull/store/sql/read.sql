-- Everything the rules need of locked loops.
-- Parameters: (bigint[])
-- One text a loop, read in a fraction of the time that columns take: its own counters and what surrounds it, then its
-- cards, each with its open turn. The fields of kanban.state.Card and Turn stand in their order, so that they are built
-- as they come. Each table is read in a query of its own: a join would hand every column on from step to step.
SELECT json_build_array(s.loop_id, json_build_array({counters:s}),
    (SELECT number FROM plant_epoch WHERE id = 1),
    (SELECT CASE note WHEN '' THEN kind ELSE note END FROM pull_andoncall
        WHERE station_id = (SELECT supply_id FROM plant_loop WHERE id = s.loop_id) AND stops_line AND solved_at IS NULL
        ORDER BY called_at LIMIT 1),
    (SELECT json_build_array(opened_at, opened_seq) FROM pull_runout
        WHERE loop_id = s.loop_id AND closed_at IS NULL LIMIT 1),
    (SELECT json_agg(json_build_array({card:c},
            (SELECT json_build_array({turn:t}) FROM pull_turn t
                WHERE t.card_id = c.id AND t.closed_at IS NULL LIMIT 1)) ORDER BY c.number)
        FROM pull_card c WHERE c.loop_id = s.loop_id AND c.card_status <> 'REMOVED'))::text
FROM pull_loopstate s WHERE s.loop_id = ANY($1) ORDER BY s.loop_id
