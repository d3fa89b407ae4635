from django.db import migrations, models
from django.db.models import Value


class Migration(migrations.Migration):
    dependencies = [
        ("plant", "0015_ended_tokens_raise_the_epoch"),
    ]

    operations = [
        migrations.AddField(
            model_name="placement",
            name="wall",
            field=models.JSONField(
                blank=True,
                db_default=Value({}, models.JSONField()),
                default=dict,
                help_text="what a wall screen shows (jitapp/plant/walls.py)",
            ),
        ),
        migrations.AddField(
            model_name="enrolment",
            name="wall",
            field=models.JSONField(blank=True, db_default=Value({}, models.JSONField()), default=dict),
        ),
    ]
