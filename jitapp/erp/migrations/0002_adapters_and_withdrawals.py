"""An ERP connection names its adapter; a document is withdrawn, where it was recalled before.

A process of the version before that cancels a document after this migration is refused by the constraint. Its outbox
row is put off, and the new version handles it: nothing is lost while both run.
"""

from django.db import migrations, models

import jitapp.erp.adapters

RENAMED = """
    UPDATE erp_documentrequest SET state = CASE state WHEN '{0}ING' THEN '{1}ING' ELSE '{2}' END
    WHERE state IN ('{0}ING', '{3}')
"""


class Migration(migrations.Migration):

    dependencies = [
        ('erp', '0001_documents_asked_for'),
    ]

    operations = [
        migrations.AddField(
            model_name='erpconnection',
            name='adapter',
            field=models.CharField(choices=jitapp.erp.adapters.choices, db_default='generic', default='generic', help_text='the protocol of this ERP; documents that are not finished go on with a newly chosen one', max_length=40),
        ),
        migrations.RemoveConstraint(
            model_name='documentrequest',
            name='document_state_known',
        ),
        migrations.RemoveIndex(
            model_name='documentrequest',
            name='document_due',
        ),
        migrations.AlterField(
            model_name='documentrequest',
            name='state',
            field=models.CharField(choices=[('WAITING', 'Waiting'), ('DONE', 'Done'), ('FAILED', 'Failed'), ('WITHDRAWING', 'Withdrawing'), ('WITHDRAWN', 'Withdrawn')], default='WAITING', max_length=11),
        ),
        migrations.RunSQL(
            RENAMED.format('RECALL', 'WITHDRAW', 'WITHDRAWN', 'RECALLED'),
            RENAMED.format('WITHDRAW', 'RECALL', 'RECALLED', 'WITHDRAWN'),
        ),
        migrations.AddIndex(
            model_name='documentrequest',
            index=models.Index(condition=models.Q(('state__in', ['WAITING', 'WITHDRAWING'])), fields=['connection', 'due_at'], name='document_due'),
        ),
        migrations.AddConstraint(
            model_name='documentrequest',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['WAITING', 'DONE', 'FAILED', 'WITHDRAWING', 'WITHDRAWN'])), name='document_state_known'),
        ),
    ]
