"""Indexes of the ledger for the audit page; concurrently, since every act of every candidate writes to it."""

from django.db import migrations, models

from exam_portal.kit.migrations import AddIndexOnce


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('accounts', '0013_ledger_verification'),
    ]

    operations = [
        AddIndexOnce(
            model_name='ledgerevent',
            index=models.Index(fields=['at', 'id'], name='ledger_by_time'),
        ),
        AddIndexOnce(
            model_name='ledgerevent',
            index=models.Index(fields=['stream', 'at'], name='ledger_by_stream'),
        ),
        AddIndexOnce(
            model_name='ledgerevent',
            index=models.Index(fields=['action', 'at'], name='ledger_by_action'),
        ),
        AddIndexOnce(
            model_name='ledgerevent',
            index=models.Index(fields=['actor_kind', 'actor_id', 'at'], name='ledger_by_actor'),
        ),
    ]
