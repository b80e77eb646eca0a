"""The Celery application.

Tasks are thin and idempotent: what must not be lost is a row first, the broker only rings the bell.
"""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "exam_portal.settings")

app = Celery("exam_portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
