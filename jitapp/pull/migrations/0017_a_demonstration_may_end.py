"""The ledger only grows, with one exception: the rows of a demonstration go with it, in the one transaction in which
the database's owner removes its plant (plant/0018, jitapp/workshop/demo/end.sql). No role of the application can bring
that about for another plant, or delete a row by itself."""

from django.db import migrations

FORWARD = """
CREATE OR REPLACE FUNCTION pull_grows_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND TG_LEVEL = 'ROW' AND plant_demonstration_ends() THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION '% on % refused: it only grows; write a correcting entry instead', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE OR REPLACE FUNCTION pull_card_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND TG_LEVEL = 'ROW' AND plant_demonstration_ends() THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION '% on % refused: a card is withdrawn, never deleted; the ledger names it', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
"""
BACKWARD = """
CREATE OR REPLACE FUNCTION pull_grows_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on % refused: it only grows; write a correcting entry instead', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE OR REPLACE FUNCTION pull_card_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on % refused: a card is withdrawn, never deleted; the ledger names it', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("pull", "0016_handovers"), ("plant", "0019_demonstrations")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
