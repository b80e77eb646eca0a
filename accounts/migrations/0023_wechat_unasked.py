"""Indexes by which WeChat is asked about the longest unasked first; concurrently, since events write to the table."""

from django.contrib.postgres.operations import RemoveIndexConcurrently
from django.db import migrations, models

from exam_portal.kit.migrations import AddIndexOnce


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('accounts', '0022_wechat_since'),
    ]

    operations = [
        AddIndexOnce(
            model_name='wechatuser',
            index=models.Index(models.OrderBy(models.F('checked_at'), nulls_first=True), condition=models.Q(('openid__isnull', False)), name='wechat_unasked'),
        ),
        AddIndexOnce(
            model_name='wechatuser',
            index=models.Index(models.OrderBy(models.F('checked_at'), nulls_first=True), condition=models.Q(('following', True), ('unionid__isnull', True)), name='wechat_unknown'),
        ),
        # Last: after an interruption the migration is run again.
        RemoveIndexConcurrently(
            model_name='wechatuser',
            name='wechat_to_check',
        ),
    ]
