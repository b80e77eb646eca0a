from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("accounts", "0011_two_step"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="candidate",
            options={"verbose_name": "candidate", "verbose_name_plural": "candidates"},
        ),
        AddIndexConcurrently(
            model_name="basicinformation",
            index=models.Index(fields=["mobile"], name="basic_information_by_mobile"),
        ),
    ]
