"""What a part number may be; nothing in the database changes."""

from django.db import migrations, models

import jitapp.plant.spelling


class Migration(migrations.Migration):
    dependencies = [("plant", "0009_people_raise_the_epoch")]
    operations = [
        migrations.AlterField(
            "part",
            "number",
            models.CharField(max_length=60, unique=True, validators=[jitapp.plant.spelling.part_number]),
        ),
    ]
