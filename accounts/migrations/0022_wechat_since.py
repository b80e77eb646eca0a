"""Since when somebody follows or no longer does, apart from the newest that WeChat told of it."""

from typing import Any

from django.db import migrations, models


def take_over(apps: Any, _schema_editor: Any) -> None:
    apps.get_model("accounts", "WeChatUser").objects.update(turned_at=models.F("told_at"))


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0021_calendar_link'),
    ]

    operations = [
        migrations.AddField(
            model_name='wechatuser',
            name='turned_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.RunPython(take_over, migrations.RunPython.noop),
    ]
