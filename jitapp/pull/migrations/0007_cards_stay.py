"""Cards are never deleted, in the database itself (rule C1: a code is never used again).

So the ledger and the receipts need not ask for every row whether the card they name is there: two questions less a
scan, each of which also wrote to the card's row. An event's id is made by us, unique and in order; the index that only
proved it goes too.
"""

import django.db.models.deletion
from django.db import migrations, models

import jitapp.accounts.models

FORWARD = """
CREATE FUNCTION pull_card_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on % refused: a card is withdrawn, never deleted; the ledger names it', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER card_not_deleted BEFORE DELETE ON pull_card FOR EACH ROW EXECUTE FUNCTION pull_card_stays();
CREATE TRIGGER card_not_truncated BEFORE TRUNCATE ON pull_card FOR EACH STATEMENT EXECUTE FUNCTION pull_card_stays();
"""
BACKWARD = """
DROP TRIGGER card_not_truncated ON pull_card;
DROP TRIGGER card_not_deleted ON pull_card;
DROP FUNCTION pull_card_stays();
"""


class Migration(migrations.Migration):
    dependencies = [("pull", "0006_waits_are_events")]
    operations = [
        migrations.RunSQL(FORWARD, BACKWARD),
        migrations.AlterField(
            model_name="event",
            name="card",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="events",
                to="pull.card",
            ),
        ),
        migrations.AlterField(
            model_name="event",
            name="uuid",
            field=models.UUIDField(default=jitapp.accounts.models.new_uuid, editable=False),
        ),
        migrations.AlterField(
            model_name="receipt",
            name="card",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                to="pull.card",
            ),
        ),
    ]
