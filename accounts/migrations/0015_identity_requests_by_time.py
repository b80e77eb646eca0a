"""The order of the staff's list of applications about identities; concurrently, since candidates go on applying."""

from django.db import migrations, models

from exam_portal.kit.migrations import AddIndexOnce


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('accounts', '0014_ledger_indexes'),
    ]

    operations = [
        AddIndexOnce(
            model_name='identityrequest',
            index=models.Index(fields=['made_at', 'id'], name='identity_request_by_time'),
        ),
    ]
