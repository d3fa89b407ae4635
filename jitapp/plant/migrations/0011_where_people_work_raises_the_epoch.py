"""Where people may be named is kept in memory with the settings: what decides it raises the epoch."""

from django.db import migrations

RAISE = """
CREATE TRIGGER membership_raises_epoch AFTER INSERT OR UPDATE OR DELETE ON plant_membership
    FOR EACH STATEMENT EXECUTE FUNCTION plant_raise_epoch();
DROP TRIGGER person_raises_epoch ON accounts_person;
CREATE TRIGGER person_raises_epoch
    AFTER INSERT OR UPDATE OF username, badge, is_active, is_superuser OR DELETE ON accounts_person
    FOR EACH STATEMENT EXECUTE FUNCTION plant_raise_epoch();
"""
LOWER = """
DROP TRIGGER membership_raises_epoch ON plant_membership;
DROP TRIGGER person_raises_epoch ON accounts_person;
CREATE TRIGGER person_raises_epoch AFTER INSERT OR UPDATE OF username, badge OR DELETE ON accounts_person
    FOR EACH STATEMENT EXECUTE FUNCTION plant_raise_epoch();
"""


class Migration(migrations.Migration):
    dependencies = [("plant", "0010_part_numbers_of_real_life")]
    operations = [migrations.RunSQL(RAISE, LOWER)]
