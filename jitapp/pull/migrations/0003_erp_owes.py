"""A word more for who must act: the ERP, while it owes the number of its document."""

from django.db import migrations, models

WHO = [(word, word) for word in ('station', 'supplier', 'planner', 'buyer', 'handler', 'receiving', 'person', 'erp')]


class Migration(migrations.Migration):

    dependencies = [
        ('pull', '0002_ledger_grows_only'),
    ]

    operations = [
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
            name='owner',
            field=models.CharField(choices=WHO, max_length=10),
        ),
    ]
