"""Every change of master data raises the epoch, whoever makes it, so that cached loops are never stale."""

from django.db import migrations

TABLES = ("plant", "calendar", "area", "supplier", "station", "part", "billofmaterials", "loop", "placement")

RAISE = """
CREATE SEQUENCE plant_epoch_number;
INSERT INTO plant_epoch (id, number) VALUES (1, nextval('plant_epoch_number')) ON CONFLICT DO NOTHING;
CREATE FUNCTION plant_raise_epoch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- From a sequence, so that a number that was rolled back is never used for other content.
    INSERT INTO plant_epoch (id, number) VALUES (1, nextval('plant_epoch_number'))
    ON CONFLICT (id) DO UPDATE SET number = excluded.number;
    RETURN NULL;
END $$;
""" + "".join(
    f"CREATE TRIGGER {table}_raises_epoch AFTER INSERT OR UPDATE OR DELETE ON plant_{table}"
    " FOR EACH STATEMENT EXECUTE FUNCTION plant_raise_epoch();\n"
    for table in TABLES
)

LOWER = "".join(f"DROP TRIGGER {table}_raises_epoch ON plant_{table};\n" for table in TABLES) + (
    "DROP FUNCTION plant_raise_epoch(); DROP SEQUENCE plant_epoch_number;"
)


class Migration(migrations.Migration):
    dependencies = [("plant", "0001_initial")]
    operations = [migrations.RunSQL(RAISE, LOWER)]
