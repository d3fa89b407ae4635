-- Everything that a transaction on loops writes, in one statement.
-- Parameters: (json, json, json, json, json, json)
WITH receipts AS (
    INSERT INTO pull_receipt (scan_id, fingerprint, plant_id, device_id, person_id, station_id, loop_id,
        card_id, raw, intent, seq, epoch, occurred_at, sent_at, recorded_at, outcome, code, answer)
    SELECT scan_id, decode(fingerprint, 'hex'), plant_id, device_id, person_id, station_id, loop_id,
        card_id, raw, intent, seq, epoch, occurred_at, sent_at, recorded_at, outcome, code, answer
    FROM json_to_recordset($1) AS r(scan_id uuid, fingerprint text, plant_id bigint,
        device_id bigint, person_id bigint, station_id bigint, loop_id bigint, card_id bigint, raw text,
        intent text, seq bigint, epoch text, occurred_at timestamptz, sent_at timestamptz,
        recorded_at timestamptz, outcome text, code text, answer jsonb)
), events AS (
    INSERT INTO pull_event (uuid, type, plant_id, loop_id, loop_seq, card_id, turn_number, turn, station_id,
        person_id, device_id, scan_id, ordinal, from_status, to_status, occurred_at, recorded_at, late, data,
        era, place)
    SELECT uuid, type, plant_id, loop_id, loop_seq, card_id, turn_number, turn, station_id, person_id,
        device_id, scan_id, ordinal, from_status, to_status, occurred_at, recorded_at, late, data,
        (SELECT coalesce(max(era), 0) FROM pull_history),
        -- A transaction may be older than the one that wrote the loop's last event, if it waited for the loop.
        greatest(pg_current_xact_id(), (SELECT s.place FROM pull_loopstate s WHERE s.loop_id = e.loop_id))
    FROM json_to_recordset($2) AS e(uuid uuid, type text, plant_id bigint, loop_id bigint,
        loop_seq bigint, card_id bigint, turn_number int, turn uuid, station_id bigint, person_id bigint,
        device_id bigint, scan_id uuid, ordinal smallint, from_status text, to_status text,
        occurred_at timestamptz, recorded_at timestamptz, late boolean, data jsonb)
), cards AS (
    UPDATE pull_card c SET {card_set:n}
    FROM json_to_recordset($3) AS n({card_typed})
    WHERE c.id = n.id
), turns AS (
    INSERT INTO pull_turn (card_id, loop_id, supply_id, {turn_names})
    SELECT card_id, loop_id, supply_id, {turn_names}
    FROM json_to_recordset($4) AS n(card_id bigint, loop_id bigint, supply_id bigint, {turn_typed})
    ON CONFLICT (card_id, number) DO UPDATE SET {turn_set:excluded}
), loops AS (
    -- They exist; but a conflict is found by the index, where an UPDATE joined to a document reads the table.
    INSERT INTO pull_loopstate (loop_id, place, {counter_names})
    SELECT loop_id, pg_current_xact_id(), {counter_names}
    FROM json_to_recordset($5) AS n(loop_id bigint, {counter_typed})
    ON CONFLICT (loop_id) DO UPDATE SET {counter_set:excluded},
        place = greatest(excluded.place, pull_loopstate.place)
)
INSERT INTO outbox_message (topic, key, payload)
SELECT topic, key, payload
FROM json_to_recordset($6) AS m(topic text, key bigint, payload jsonb)
