"""Badges and user names are kept in memory with the settings: a change of either raises the epoch. Names of parts are
found in any case by an index."""

from django.db import migrations, models
from django.db.models.functions import Lower

RAISE = (
    "CREATE TRIGGER person_raises_epoch AFTER INSERT OR UPDATE OF username, badge OR DELETE ON accounts_person"
    " FOR EACH STATEMENT EXECUTE FUNCTION plant_raise_epoch();"
)
LOWER = "DROP TRIGGER person_raises_epoch ON accounts_person;"


class Migration(migrations.Migration):
    dependencies = [("plant", "0008_a_revision_may_be_refused"), ("accounts", "0001_initial")]
    operations = [
        migrations.RunSQL(RAISE, LOWER),
        migrations.AddIndex("part", models.Index(Lower("number"), name="part_number_in_any_case")),
    ]
