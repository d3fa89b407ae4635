"""Labels printed over the API: a job says which device printed where no person did."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("printing", "0001_printed_cards"),
    ]

    operations = [
        migrations.AddField(
            model_name="printjob",
            name="device",
            field=models.ForeignKey(
                blank=True,
                help_text="where no person printed",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                to="accounts.device",
            ),
        ),
    ]
