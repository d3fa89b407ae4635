"""The feed goes by eras: a restore begins a new one, and a loop's events keep their order (pull/history.py)."""

import django.db.models.expressions
from django.conf import settings
from django.db import migrations, models

import jitapp.pull.models.fields

# Also for what a former version writes while it still runs.
ERA = """
CREATE FUNCTION pull_era() RETURNS bigint LANGUAGE sql STABLE
AS 'SELECT coalesce(max(era), 0) FROM pull_history'
"""


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0001_initial'),
        ('plant', '0008_a_revision_may_be_refused'),
        ('pull', '0009_runouts_call'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='History',
            fields=[
                ('era', models.BigIntegerField(help_text='seconds since 1970 when it began', primary_key=True, serialize=False)),
                ('epoch', models.CharField(help_text="the era's name in cursors and streams", max_length=16, unique=True)),
                ('identity', models.CharField(help_text='cluster, time line and database; empty: not yet known', max_length=80)),
                ('began_at', models.DateTimeField()),
                ('kept_until', models.DateTimeField(blank=True, help_text='nothing recorded until then is missing; what came later was set back', null=True)),
            ],
        ),
        migrations.RunSQL(ERA, 'DROP FUNCTION pull_era()'),
        migrations.RemoveIndex(
            model_name='event',
            name='event_cursor',
        ),
        migrations.AddField(
            model_name='event',
            name='era',
            field=models.BigIntegerField(db_default=django.db.models.expressions.RawSQL('pull_era()', ()), editable=False),
        ),
        migrations.AddField(
            model_name='event',
            name='place',
            field=jitapp.pull.models.fields.Xid8Field(db_default=django.db.models.expressions.RawSQL('pg_current_xact_id()', ()), editable=False),
        ),
        migrations.AddField(
            model_name='loopstate',
            name='place',
            field=jitapp.pull.models.fields.Xid8Field(editable=False, help_text='place of its newest event in the feed, in this era', null=True),
        ),
        migrations.AddIndex(
            model_name='event',
            index=models.Index(fields=['era', 'place', 'id'], name='event_feed'),
        ),
    ]
