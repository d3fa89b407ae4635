"""Why a turn stands in ERROR (domain 4.5)."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("pull", "0003_erp_owes")]
    operations = [
        migrations.AddField(
            model_name="turn",
            name="failed",
            field=models.CharField(
                blank=True, db_default="", default="", help_text="why it stands in ERROR", max_length=200
            ),
        ),
    ]
