"""Visits that are held back because another reader hears the tag; readers that speak the language of their station.

English was what every reader had without anybody choosing it.
"""

from django.db import migrations, models

import jitapp.tags.words


class Migration(migrations.Migration):
    dependencies = [("tags", "0001_tags_readers_and_presences")]

    operations = [
        migrations.AlterField(
            model_name="reader",
            name="language",
            field=models.CharField(
                blank=True,
                default="",
                help_text="of what stations' screens are told of its scans; empty: that of the station",
                max_length=10,
            ),
        ),
        migrations.RunSQL(
            "UPDATE tags_reader SET language = '' WHERE language = 'en'",
            "UPDATE tags_reader SET language = 'en' WHERE language = ''",
        ),
        migrations.AlterField(
            model_name="visit",
            name="why",
            field=models.CharField(
                blank=True,
                choices=[
                    ("", ""),
                    ("watched", "watched"),
                    ("binding", "binding"),
                    ("later", "later"),
                    ("unknown", "unknown"),
                    ("ignored", "ignored"),
                    ("locked", "locked"),
                    ("crossed", "crossed"),
                    ("revoked", "revoked"),
                ],
                default=jitapp.tags.words.Why["NOTHING"],
                max_length=8,
            ),
        ),
        migrations.AddIndex(
            model_name="visit",
            index=models.Index(
                condition=models.Q(("left_at__isnull", True), ("why", "crossed")),
                fields=["tag"],
                name="visit_held",
            ),
        ),
    ]
