"""A runout calls for help by itself, once."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("pull", "0008_the_heart_as_data")]
    operations = [
        migrations.AddField(
            model_name="andoncall",
            name="runout",
            field=models.OneToOneField(
                blank=True,
                help_text="the runout that made this call; it makes one",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="call",
                to="pull.runout",
            ),
        ),
    ]
