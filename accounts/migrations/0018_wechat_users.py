"""A binding becomes somebody's WeChat, which may also be bound to nobody."""

from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0017_names_of_institutions'),
    ]

    operations = [
        migrations.RenameModel('WeChatBinding', 'WeChatUser'),
    ]
