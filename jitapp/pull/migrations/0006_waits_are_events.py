"""Waits know the events they follow from; what a station stood still for has rows of its own."""

import django.db.models.deletion
from django.db import migrations, models

WHO = [
    (word, word)
    for word in (
        "station",
        "supplier",
        "planner",
        "buyer",
        "handler",
        "receiving",
        "person",
        "erp",
        "maintainer",
        "leader",
        "quality",
    )
]
# What the ledger tells of stations so far.
KNOWN = """
INSERT INTO pull_stationstate (uuid, station_id, kind, began_at, ended_at, note)
SELECT coalesce((e.data->>'began')::uuid, e.uuid), e.station_id,
    CASE e.type WHEN 'station.changeover' THEN 'setup' ELSE 'down' END,
    (e.data->>'started_at')::timestamptz, (e.data->>'ended_at')::timestamptz, ''
FROM pull_event e
WHERE e.loop_id IS NULL AND e.type IN ('station.changeover', 'station.breakdown')
ON CONFLICT DO NOTHING;
INSERT INTO pull_stationstate (uuid, station_id, kind, began_at, note)
SELECT e.uuid, e.station_id, 'setup', e.occurred_at, ''
FROM pull_event e
WHERE e.loop_id IS NULL AND e.type = 'station.changeover_began'
    AND NOT EXISTS (SELECT 1 FROM pull_event done WHERE done.loop_id IS NULL
        AND done.type = 'station.changeover' AND done.data->>'began' = e.uuid::text)
ORDER BY e.id DESC
ON CONFLICT DO NOTHING;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('plant', '0005_who_comes_and_who_receives'),
        ('pull', '0005_settlements'),
    ]

    operations = [
        migrations.CreateModel(
            name='StationState',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(editable=False, help_text='the event it began with', unique=True)),
                ('kind', models.CharField(max_length=12)),
                ('began_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('note', models.CharField(blank=True, max_length=200)),
            ],
        ),
        migrations.RemoveConstraint(
            model_name='wait',
            name='wait_once',
        ),
        migrations.AddField(
            model_name='wait',
            name='closed_seq',
            field=models.BigIntegerField(blank=True, help_text="loop_seq of the turn's event that ended it", null=True),
        ),
        migrations.AddField(
            model_name='wait',
            name='opened_seq',
            field=models.BigIntegerField(blank=True, help_text="loop_seq of the turn's event that began it", null=True),
        ),
        migrations.AlterField(
            model_name='runout',
            name='owner',
            field=models.CharField(blank=True, choices=WHO, max_length=10),
        ),
        migrations.AlterField(
            model_name='turn',
            name='owner',
            field=models.CharField(blank=True, choices=WHO, help_text='who must act next', max_length=10),
        ),
        migrations.AlterField(
            model_name='wait',
            name='loop',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='waits', to='plant.loop'),
        ),
        migrations.AlterField(
            model_name='wait',
            name='owner',
            field=models.CharField(choices=WHO, max_length=10),
        ),
        migrations.AddIndex(
            model_name='wait',
            index=models.Index(fields=['loop', 'closed_at'], name='wait_by_loop'),
        ),
        migrations.AddConstraint(
            model_name='wait',
            constraint=models.UniqueConstraint(fields=('turn', 'reason', 'opened_at', 'opened_seq'), name='wait_once'),
        ),
        migrations.AddField(
            model_name='stationstate',
            name='station',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='states', to='plant.station'),
        ),
        migrations.AddIndex(
            model_name='stationstate',
            index=models.Index(fields=['station', 'ended_at'], name='state_by_station'),
        ),
        migrations.AddConstraint(
            model_name='stationstate',
            constraint=models.UniqueConstraint(condition=models.Q(('ended_at__isnull', True)), fields=('station', 'kind'), name='state_one_open_per_station_and_kind'),
        ),
        migrations.AddConstraint(
            model_name='stationstate',
            constraint=models.CheckConstraint(condition=models.Q(('ended_at__isnull', True), ('ended_at__gte', models.F('began_at')), _connector='OR'), name='state_ends_after_it_begins'),
        ),
        migrations.AddConstraint(
            model_name='stationstate',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['down', 'setup', 'no_operator', 'planned_stop'])), name='state_kind_known'),
        ),
        migrations.RunSQL(KNOWN, migrations.RunSQL.noop),
    ]
