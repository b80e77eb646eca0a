"""Indexes of the ledger for the audit page; concurrently, since every act of every candidate writes to it.

Interrupted, one stays behind marked invalid: drop it and migrate again.
"""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('accounts', '0013_ledger_verification'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='ledgerevent',
            index=models.Index(fields=['at', 'id'], name='ledger_by_time'),
        ),
        AddIndexConcurrently(
            model_name='ledgerevent',
            index=models.Index(fields=['stream', 'at'], name='ledger_by_stream'),
        ),
        AddIndexConcurrently(
            model_name='ledgerevent',
            index=models.Index(fields=['action', 'at'], name='ledger_by_action'),
        ),
        AddIndexConcurrently(
            model_name='ledgerevent',
            index=models.Index(fields=['actor_kind', 'actor_id', 'at'], name='ledger_by_actor'),
        ),
    ]
