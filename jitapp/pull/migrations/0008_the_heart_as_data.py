"""State that is derived and stated once: what a turn stands for, since when, and when a loop was last usable."""

from django.db import migrations, models

import jitapp.plant.models

STANDING = """
    UPDATE pull_turn t SET
        standing = coalesce(w.reason, CASE t.step WHEN 'IN_PROCESS' THEN 'process' WHEN 'IN_TRANSIT' THEN 'transit'
            WHEN 'COMPLETED' THEN 'collect' ELSE 'queue' END),
        doc_owed = (t.signal_state = 'PENDING_DOC' AND t.owner = 'erp'),
        stretches = jsonb_build_array(jsonb_build_array(
            coalesce(w.reason, CASE t.step WHEN 'IN_PROCESS' THEN 'process' WHEN 'IN_TRANSIT' THEN 'transit'
                WHEN 'COMPLETED' THEN 'collect' ELSE 'queue' END),
            t.owner, coalesce(w.opened_at, t.owner_since, t.opened_at), coalesce(w.opened_seq, 0)))
    FROM (SELECT id FROM pull_turn WHERE closed_at IS NULL) o
    LEFT JOIN pull_wait w ON w.turn_id = o.id AND w.closed_at IS NULL
    WHERE t.id = o.id
"""
COUNTERS = """
    UPDATE pull_loopstate s SET been_full = c.been_full, usable_changed_at = c.moved_at
    FROM (SELECT loop_id, bool_or(been_full) AS been_full, max(moved_at) AS moved_at FROM pull_card GROUP BY loop_id) c
    WHERE c.loop_id = s.loop_id
"""
MOVERS = """
    UPDATE pull_card SET
        moved_device = nullif(substring(moved_by from '^d([0-9]+)'), '')::bigint,
        moved_person = nullif(substring(moved_by from 'p([0-9]+)$'), '')::bigint,
        replaces = nullif(substring(note from '^replaces ([0-9]+)$'), '')::int,
        status_since = moved_at
"""
# kanban/conditions.py, for queries over many loops; tests/pull/test_conditions.py holds the two together.
VIEWS = """
    CREATE VIEW pull_container AS
    SELECT id, loop_id, card_status, supply_status, blocked,
        card_status = 'IN_CIRCULATION' AND NOT blocked AND supply_status IN ('FULL', 'IN_USE') AS usable,
        card_status = 'IN_CIRCULATION' AND NOT blocked AND supply_status = 'FULL' AS ready_to_fetch,
        card_status IN ('IN_CIRCULATION', 'HELD') AS participates
    FROM pull_card;

    CREATE VIEW pull_buffer AS
    SELECT l.id AS loop_id, l.status = 'ACTIVE' AS active, l.kind = 'EVENT' AS ordered,
        coalesce(s.been_full, false) AS been_full, coalesce(c.circulating, 0) AS circulating,
        coalesce(c.participating, 0) AS participating, coalesce(c.usable, 0) AS usable, c.first_due
    FROM plant_loop l
    LEFT JOIN pull_loopstate s ON s.loop_id = l.id
    LEFT JOIN LATERAL (
        SELECT count(*) FILTER (WHERE k.card_status = 'IN_CIRCULATION') AS circulating,
            count(*) FILTER (WHERE k.participates) AS participating, count(*) FILTER (WHERE k.usable) AS usable,
            min(t.due_at) FILTER (WHERE k.participates) AS first_due
        FROM pull_container k LEFT JOIN pull_turn t ON t.card_id = k.id AND t.closed_at IS NULL
        WHERE k.loop_id = l.id
    ) c ON true;

    CREATE FUNCTION pull_dry(at timestamptz) RETURNS SETOF bigint LANGUAGE sql STABLE AS $$
        SELECT loop_id FROM pull_buffer
        WHERE active AND been_full AND participating > 0 AND usable = 0 AND (NOT ordered OR first_due <= at)
    $$;
"""
NO_VIEWS = "DROP FUNCTION pull_dry(timestamptz); DROP VIEW pull_buffer; DROP VIEW pull_container"


class Migration(migrations.Migration):
    dependencies = [("pull", "0007_cards_stay"), ("plant", "0005_who_comes_and_who_receives")]

    operations = [
        migrations.AddField("loopstate", "been_full", models.BooleanField(db_default=False, default=False, help_text="a card of it has been FULL before (rule C9)")),
        migrations.AddField("loopstate", "drawn_ahead", jitapp.plant.models.QuantityField(db_default=0, default=0, help_text="pieces drawn beyond what was needed: pieces are whole")),
        migrations.AddField("loopstate", "usable_changed_at", models.DateTimeField(blank=True, help_text="newest change of the usable containers, in occurred time", null=True)),
        migrations.AddField("card", "replaces", models.PositiveIntegerField(blank=True, help_text="number of the lost card whose place it takes", null=True)),
        migrations.AddField("card", "status_since", models.DateTimeField(blank=True, help_text="since when it stands where it does", null=True)),
        migrations.AddField("card", "moved_device", models.BigIntegerField(blank=True, help_text="device that was last at it", null=True)),
        migrations.AddField("card", "moved_person", models.BigIntegerField(blank=True, help_text="person who was last at it", null=True)),
        migrations.AddField("card", "last_said", models.CharField(blank=True, db_default="", default="", help_text="fingerprint of the last scan's content", max_length=16)),
        migrations.AlterField("card", "last_intent", models.CharField(blank=True, db_default="", default="", max_length=12)),
        migrations.AlterField("card", "moved_at", models.DateTimeField(blank=True, help_text="when it was last scanned or drawn from", null=True)),
        migrations.RenameField("turn", "recall", "to_recall"),
        migrations.AddField("turn", "doc_owed", models.BooleanField(db_default=False, default=False, help_text="the ERP was asked for the document and has not answered")),
        migrations.AddField("turn", "demand_cancelled", models.UUIDField(blank=True, help_text="the turn that no longer needs it, though work on it had begun", null=True)),
        migrations.AddField("turn", "answer_late", models.BooleanField(db_default=False, default=False, help_text="the supplier has not answered in time")),
        migrations.AddField("turn", "standing", models.CharField(blank=True, db_default="", default="", help_text="what it waits for, or what is done to it", max_length=20)),
        migrations.AddField("turn", "stretches", models.JSONField(db_default=[], default=list, help_text="its life: [reason, owner, since, event] each")),
        migrations.RunSQL(COUNTERS, migrations.RunSQL.noop),
        migrations.RunSQL(MOVERS, migrations.RunSQL.noop),
        migrations.RunSQL(STANDING, migrations.RunSQL.noop),
        migrations.RemoveField("card", "been_full"),
        migrations.RemoveField("card", "moved_by"),
        migrations.RunSQL(VIEWS, NO_VIEWS),
    ]
