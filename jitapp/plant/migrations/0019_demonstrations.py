"""Which plants are demonstrations, written by the database's owner alone (jitapp/plant/demonstrations.py)."""

from django.db import migrations, models

# Whether the plant of a demonstration is being removed by this very transaction.
ENDS = """
CREATE FUNCTION plant_demonstration_ends() RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT 1 FROM plant_demonstration WHERE ending = pg_current_xact_id()::text)
$$
"""


class Migration(migrations.Migration):
    dependencies = [("plant", "0018_words_of_a_site")]

    operations = [
        migrations.CreateModel(
            name="Demonstration",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("plant_number", models.BigIntegerField(help_text="id of the plant; never used again", unique=True)),
                ("code", models.CharField(max_length=60)),
                ("made_at", models.DateTimeField()),
                ("ending", models.CharField(blank=True, db_default="", default="", max_length=20)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                ("ended_by", models.CharField(blank=True, db_default="", default="", max_length=120)),
            ],
        ),
        migrations.RunSQL(ENDS, "DROP FUNCTION plant_demonstration_ends()"),
    ]
