"""The order of the staff's list of applications about identities; concurrently, since candidates go on applying.

Interrupted, it stays behind marked invalid: drop it and migrate again.
"""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('accounts', '0014_ledger_indexes'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='identityrequest',
            index=models.Index(fields=['made_at', 'id'], name='identity_request_by_time'),
        ),
    ]
