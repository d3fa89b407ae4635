"""Rows that are well have another order: what boards remember of them is measured again, some hundreds a sweep."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("pull", "0017_a_demonstration_may_end")]
    operations = [
        migrations.RunSQL("UPDATE pull_boardline SET seq = -1", migrations.RunSQL.noop),
    ]
