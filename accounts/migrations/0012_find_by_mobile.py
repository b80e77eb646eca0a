from django.db import migrations, models

from exam_portal.kit.migrations import AddIndexOnce


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
        AddIndexOnce(
            model_name="basicinformation",
            index=models.Index(fields=["mobile"], name="basic_information_by_mobile"),
        ),
    ]
