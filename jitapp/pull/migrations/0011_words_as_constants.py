"""The same checks, cheaper: words as one constant (models/fields.py), and nothing said twice."""

from django.db import migrations, models
from django.db.models.lookups import Exact, IsNull

from jitapp.pull.models.fields import OneOf


class Migration(migrations.Migration):

    dependencies = [
        ('pull', '0010_history_has_eras'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='card',
            name='card_status_known',
        ),
        migrations.RemoveConstraint(
            model_name='card',
            name='card_supply_status_known',
        ),
        migrations.RemoveConstraint(
            model_name='card',
            name='card_contents_bounds',
        ),
        migrations.RemoveConstraint(
            model_name='receipt',
            name='receipt_outcome_known',
        ),
        migrations.RemoveConstraint(
            model_name='turn',
            name='turn_signal_state_known',
        ),
        migrations.RemoveConstraint(
            model_name='turn',
            name='turn_step_known',
        ),
        migrations.RemoveConstraint(
            model_name='turn',
            name='turn_closed_says_when',
        ),
        migrations.AddConstraint(
            model_name='card',
            constraint=models.CheckConstraint(condition=models.Q(('card_status__one_of', ['NEW', 'IN_CIRCULATION', 'HELD', 'SURPLUS', 'OBSOLETE', 'LOST', 'REMOVED'])), name='card_status_known'),
        ),
        migrations.AddConstraint(
            model_name='card',
            constraint=models.CheckConstraint(condition=models.Q(('supply_status__one_of', ['WAIT', 'EMPTY', 'IN_PROCESS', 'COMPLETED', 'IN_TRANSIT', 'FULL', 'IN_USE', 'ERROR'])), name='card_supply_status_known'),
        ),
        migrations.AddConstraint(
            model_name='card',
            constraint=models.CheckConstraint(condition=models.Q(('booked__gte', 0), ('booked__lte', models.F('contents'))), name='card_contents_bounds'),
        ),
        migrations.AddConstraint(
            model_name='receipt',
            constraint=models.CheckConstraint(condition=models.Q(('outcome__one_of', ['applied', 'already', 'bounced', 'refused', 'parked'])), name='receipt_outcome_known'),
        ),
        migrations.AddConstraint(
            model_name='turn',
            constraint=models.CheckConstraint(condition=models.Q(('signal_state__one_of', ['UNRELEASED', 'ACCUMULATING', 'PENDING_DOC', 'RELEASED', 'ACKNOWLEDGED', 'REJECTED', 'CANCELLED', 'CLOSED'])), name='turn_signal_state_known'),
        ),
        migrations.AddConstraint(
            model_name='turn',
            constraint=models.CheckConstraint(condition=models.Q(('step__one_of', ['', 'IN_PROCESS', 'COMPLETED', 'IN_TRANSIT'])), name='turn_step_known'),
        ),
        migrations.AddConstraint(
            model_name='turn',
            constraint=models.CheckConstraint(condition=Exact(IsNull(models.F('closed_at'), False), OneOf(models.F('signal_state'), ['CLOSED', 'CANCELLED'])), name='turn_closed_says_when'),
        ),
    ]
