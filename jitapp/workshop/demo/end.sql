-- Removes one plant with everything that belongs to it, if that plant is a demonstration (plant_demonstration, which
-- only the database's owner writes). It runs with the owner's rights, so that the application can ask for exactly this
-- and for no other deletion; `manage.py migrate` makes it and says who may call it (jitapp/workshop/functions.py).
--
-- What is asked for again, after a demonstration was ended, removes what came in for it meanwhile: a scan that had been
-- let in a moment before. Numbers and places in the feed are never given again, because sequences are left alone.
--
-- A table with rows of a plant that is not named here fails tests/workshop/test_end_of_demo.py.
CREATE OR REPLACE FUNCTION plant_end_demonstration(gone bigint, by_name text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    areas bigint[]; area_codes text[]; stations bigint[]; loops bigint[]; cards bigint[]; turns bigint[];
    parts bigint[]; bins bigint[]; devices bigint[]; people bigint[]; one bigint;
BEGIN
    PERFORM 1 FROM plant_demonstration WHERE plant_number = gone FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'plant % is no demonstration: nothing was removed', gone
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    UPDATE plant_demonstration SET ending = pg_current_xact_id()::text WHERE plant_number = gone;

    areas := ARRAY(SELECT id FROM plant_area WHERE plant_id = gone);
    area_codes := ARRAY(SELECT code FROM plant_area WHERE plant_id = gone);
    stations := ARRAY(SELECT id FROM plant_station WHERE plant_id = gone);
    loops := ARRAY(SELECT id FROM plant_loop WHERE plant_id = gone);
    parts := ARRAY(SELECT id FROM plant_part WHERE plant_id = gone);
    bins := ARRAY(SELECT id FROM pull_bin WHERE plant_id = gone);
    devices := ARRAY(SELECT device_id FROM plant_placement WHERE plant_id = gone
                     UNION SELECT device_id FROM tags_reader WHERE plant_id = gone);
    people := ARRAY(SELECT DISTINCT here.person_id FROM plant_membership here WHERE here.plant_id = gone
                    AND NOT EXISTS (SELECT 1 FROM plant_membership other
                                    WHERE other.person_id = here.person_id AND other.plant_id <> gone));

    -- In the order in which drains and scans take theirs: whoever is at work ends first, whoever comes later finds
    -- nothing any more. Whatever a new row may name by a foreign key is locked too, so that none comes in between.
    PERFORM 1 FROM outbox_message
        WHERE (topic = 'pull.changed' AND key = ANY(loops))
           OR (topic = 'calls.changed' AND payload ->> 'area' = ANY(area_codes))
        ORDER BY id FOR UPDATE;
    PERFORM 1 FROM plant_station WHERE id = ANY(stations) ORDER BY id FOR UPDATE;
    PERFORM 1 FROM pull_loopstate WHERE loop_id = ANY(loops) ORDER BY loop_id FOR UPDATE;
    PERFORM 1 FROM plant_loop WHERE id = ANY(loops) ORDER BY id FOR UPDATE;
    PERFORM 1 FROM plant_area WHERE id = ANY(areas) ORDER BY id FOR UPDATE;
    PERFORM 1 FROM plant_part WHERE id = ANY(parts) ORDER BY id FOR UPDATE;
    PERFORM 1 FROM plant_plant WHERE id = gone FOR UPDATE;
    PERFORM 1 FROM accounts_device WHERE id = ANY(devices) ORDER BY id FOR UPDATE;
    PERFORM 1 FROM accounts_person WHERE id = ANY(people) ORDER BY id FOR UPDATE;
    cards := ARRAY(SELECT id FROM pull_card WHERE loop_id = ANY(loops));
    turns := ARRAY(SELECT id FROM pull_turn WHERE loop_id = ANY(loops));

    -- What is to be done, what was told, what was asked of others.
    DELETE FROM outbox_message
        WHERE (topic = 'pull.changed' AND key = ANY(loops))
           OR (topic = 'calls.changed' AND payload ->> 'area' = ANY(area_codes));
    DELETE FROM erp_documentrequest WHERE turn_id = ANY(turns)
        OR connection_id IN (SELECT plant_id FROM erp_erpconnection WHERE plant_id = gone);
    DELETE FROM erp_erpconnection WHERE plant_id = gone;

    -- Paper, rounds and tags.
    DELETE FROM printing_printedcard WHERE card_id = ANY(cards)
        OR job_id IN (SELECT id FROM printing_printjob WHERE plant_id = gone);
    DELETE FROM printing_printjob WHERE plant_id = gone;
    DELETE FROM printing_printertest WHERE plant_id = gone;
    DELETE FROM printing_partpicture WHERE part_id = ANY(parts);
    DELETE FROM printing_papermove WHERE area_id = ANY(areas);
    DELETE FROM printing_statesheet WHERE area_id = ANY(areas);
    DELETE FROM rounds_finding WHERE walk_id IN (SELECT id FROM rounds_walk WHERE plant_id = gone);
    DELETE FROM rounds_sighting WHERE walk_id IN (SELECT id FROM rounds_walk WHERE plant_id = gone);
    DELETE FROM rounds_walk WHERE plant_id = gone;
    DELETE FROM rounds_labelpiece WHERE plant_id = gone;
    DELETE FROM rounds_readlabel WHERE plant_id = gone;
    DELETE FROM rounds_obstacle WHERE station_id = ANY(stations)
        OR route_id IN (SELECT id FROM plant_route WHERE plant_id = gone);
    DELETE FROM tags_alarm WHERE plant_id = gone;
    DELETE FROM tags_visit WHERE tag_id IN (SELECT id FROM tags_tag WHERE plant_id = gone)
        OR point_id IN (SELECT p.id FROM tags_readpoint p JOIN tags_reader r ON r.device_id = p.reader_id
                        WHERE r.plant_id = gone);
    DELETE FROM tags_sighting WHERE tag_id IN (SELECT id FROM tags_tag WHERE plant_id = gone)
        OR reader_id IN (SELECT device_id FROM tags_reader WHERE plant_id = gone);
    DELETE FROM tags_binding WHERE card_id = ANY(cards)
        OR tag_id IN (SELECT id FROM tags_tag WHERE plant_id = gone);
    DELETE FROM tags_tag WHERE plant_id = gone;
    DELETE FROM tags_readpoint WHERE reader_id IN (SELECT device_id FROM tags_reader WHERE plant_id = gone);
    DELETE FROM tags_reader WHERE plant_id = gone;

    -- The heart: the ledger too, which its triggers allow in this transaction alone.
    DELETE FROM pull_settlement WHERE card_id = ANY(cards)
        OR receipt_id IN (SELECT id FROM pull_receipt WHERE plant_id = gone
                          OR (plant_id IS NULL AND device_id = ANY(devices)));
    DELETE FROM pull_receipt WHERE plant_id = gone OR (plant_id IS NULL AND device_id = ANY(devices));
    DELETE FROM pull_event WHERE plant_id = gone;
    DELETE FROM pull_loopsnapshot WHERE loop_id = ANY(loops);
    DELETE FROM pull_boardline WHERE loop_id = ANY(loops);
    DELETE FROM pull_handoversignature WHERE handover_id IN (SELECT id FROM pull_handover WHERE area_id = ANY(areas));
    DELETE FROM pull_handover WHERE area_id = ANY(areas);
    DELETE FROM pull_callrepeat WHERE call_id IN (SELECT id FROM pull_andoncall WHERE station_id = ANY(stations));
    DELETE FROM pull_andoncall WHERE station_id = ANY(stations);
    DELETE FROM pull_qualityhold WHERE card_id = ANY(cards);
    DELETE FROM pull_stationstate WHERE station_id = ANY(stations);
    DELETE FROM pull_wait WHERE loop_id = ANY(loops);
    DELETE FROM pull_draw WHERE loop_id = ANY(loops) OR turn_id = ANY(turns);
    DELETE FROM pull_turnlink WHERE downstream_id = ANY(turns) OR upstream_card_id = ANY(cards);
    DELETE FROM pull_runout WHERE loop_id = ANY(loops);
    DELETE FROM pull_turn WHERE loop_id = ANY(loops);
    DELETE FROM pull_bin WHERE plant_id = gone;
    DELETE FROM pull_card WHERE loop_id = ANY(loops);
    DELETE FROM pull_loopstate WHERE loop_id = ANY(loops);

    -- The plant itself.
    DELETE FROM plant_identifier WHERE (kind = 'card' AND target_id = ANY(cards))
        OR (kind = 'bin' AND target_id = ANY(bins)) OR (kind = 'station' AND target_id = ANY(stations))
        OR (kind = 'part' AND target_id = ANY(parts)) OR (kind = 'person' AND target_id = ANY(people));
    DELETE FROM plant_routestop WHERE station_id = ANY(stations)
        OR route_id IN (SELECT id FROM plant_route WHERE plant_id = gone);
    DELETE FROM plant_route WHERE plant_id = gone;
    DELETE FROM plant_standardwork WHERE part_id = ANY(parts) OR station_id = ANY(stations);
    DELETE FROM plant_looprevision WHERE loop_id = ANY(loops);
    DELETE FROM plant_loop WHERE plant_id = gone;
    DELETE FROM plant_billofmaterials WHERE parent_id = ANY(parts) OR component_id = ANY(parts);
    DELETE FROM plant_part WHERE plant_id = gone;
    DELETE FROM plant_masterchange WHERE plant_id = gone;
    DELETE FROM plant_unknownbadge WHERE plant_id = gone;
    DELETE FROM plant_enrolment WHERE plant_id = gone;
    DELETE FROM plant_placement WHERE plant_id = gone;
    DELETE FROM plant_membership WHERE plant_id = gone;
    DELETE FROM plant_station WHERE plant_id = gone;
    DELETE FROM plant_supplier WHERE plant_id = gone;
    DELETE FROM plant_area WHERE plant_id = gone;
    DELETE FROM plant_calendar WHERE plant_id = gone;
    DELETE FROM plant_plant WHERE id = gone;
    SET CONSTRAINTS ALL IMMEDIATE;  -- whatever still names a row of these fails here, and nothing is removed

    -- Devices and people who are nowhere else. Those whom another plant's rows name stay as names, without any right.
    FOREACH one IN ARRAY devices LOOP
        BEGIN
            DELETE FROM pull_devicesequence WHERE device_id = one;
            DELETE FROM pull_missingscans WHERE device_id = one;
            DELETE FROM api_keptanswer WHERE device_id = one;
            IF EXISTS (SELECT 1 FROM pull_event WHERE device_id = one)
                OR EXISTS (SELECT 1 FROM pull_receipt WHERE device_id = one) THEN
                RAISE foreign_key_violation;
            END IF;
            DELETE FROM accounts_device WHERE id = one;
        EXCEPTION WHEN foreign_key_violation THEN
            UPDATE accounts_device SET active = false WHERE id = one;
        END;
    END LOOP;
    FOREACH one IN ARRAY people LOOP
        BEGIN
            DELETE FROM accounts_person_groups WHERE person_id = one;
            DELETE FROM accounts_person_user_permissions WHERE person_id = one;
            DELETE FROM accounts_lessondone WHERE person_id = one;
            DELETE FROM django_admin_log WHERE user_id = one;
            UPDATE accounts_device SET enrolled_by_id = NULL WHERE enrolled_by_id = one;
            IF EXISTS (SELECT 1 FROM pull_event WHERE person_id = one)
                OR EXISTS (SELECT 1 FROM pull_receipt WHERE person_id = one) THEN
                RAISE foreign_key_violation;
            END IF;
            DELETE FROM accounts_person WHERE id = one;
        EXCEPTION WHEN foreign_key_violation THEN
            UPDATE accounts_person SET is_active = false, is_staff = false, is_superuser = false, password = '!',
                badge = NULL, pin_hash = '' WHERE id = one;
        END;
    END LOOP;
    SET CONSTRAINTS ALL DEFERRED;
    UPDATE plant_demonstration SET ending = '', ended_at = coalesce(ended_at, now()),
        ended_by = CASE WHEN ended_at IS NULL THEN left(by_name, 120) ELSE ended_by END
        WHERE plant_number = gone;
END $$;
