"""Every change of master data raises the epoch, whoever makes it, so that cached loops are never stale."""

from django.db import migrations

TABLES = ("plant", "calendar", "area", "supplier", "station", "part", "billofmaterials", "loop", "placement")

RAISE = """
INSERT INTO plant_epoch (id, number) VALUES (1, 1) ON CONFLICT DO NOTHING;
CREATE FUNCTION plant_raise_epoch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE plant_epoch SET number = number + 1 WHERE id = 1;
    RETURN NULL;
END $$;
""" + "".join(
    f"CREATE TRIGGER {table}_raises_epoch AFTER INSERT OR UPDATE OR DELETE ON plant_{table}"
    " FOR EACH STATEMENT EXECUTE FUNCTION plant_raise_epoch();\n"
    for table in TABLES
)

LOWER = "".join(f"DROP TRIGGER {table}_raises_epoch ON plant_{table};\n" for table in TABLES) + (
    "DROP FUNCTION plant_raise_epoch();"
)


class Migration(migrations.Migration):
    dependencies = [("plant", "0001_initial")]
    operations = [migrations.RunSQL(RAISE, LOWER)]
