"""The Celery application.

Tasks are thin and idempotent: what must not be lost is a row first, the broker only rings the bell.
"""

import os

from celery import Celery
from celery.schedules import crontab
from kombu import Queue

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "exam_portal.settings")

app = Celery("exam_portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

# Workers take from each by turns: while WeChat hangs, what waits for it keeps no code from going out.
app.conf.task_queues = [Queue("celery"), Queue("messages"), Queue("wechat"), Queue("photos")]
app.conf.task_routes = {
    "accounts.tasks.deliver_message": {"queue": "messages"},
    "accounts.tasks.*_wechat": {"queue": "wechat"},
    "accounts.tasks.check_photo*": {"queue": "photos"},
    "accounts.tasks.compare_photo": {"queue": "photos"},
}
# Seconds after which a task is given up, so that what hangs keeps no worker; the next round goes on with it. Longer
# have those that walk through everything: reminding, until its next round, and verifying, which begins anew each time.
# Shorter has checking a photo, which then counts as tried (photo_checks.CHECKED_WITHIN).
app.conf.task_soft_time_limit = 10 * 60
app.conf.task_annotations = {
    "registration.tasks.remind_before_deadlines": {"soft_time_limit": 55 * 60},
    "accounts.tasks.check_photo": {"soft_time_limit": 50},
    "accounts.tasks.check_photo_frame": {"soft_time_limit": 50},
    "accounts.tasks.verify_ledger": {"soft_time_limit": 3 * 3600},
}

app.conf.beat_schedule = {
    "sweep-outbox": {"task": "accounts.tasks.sweep_outbox", "schedule": 15.0},
    "remind-before-deadlines": {
        "task": "registration.tasks.remind_before_deadlines",
        "schedule": crontab(minute=5),
    },
    "sweep-wechat": {"task": "accounts.tasks.sweep_wechat", "schedule": 300.0},
    "reconcile-wechat": {"task": "accounts.tasks.reconcile_wechat", "schedule": crontab(hour=2, minute=40)},
    "sweep-photos": {"task": "accounts.tasks.sweep_photos", "schedule": 20.0},
    "sweep-verification": {"task": "accounts.tasks.sweep_verification", "schedule": 60.0},
    "sweep-recovery": {"task": "accounts.tasks.sweep_recovery", "schedule": 15.0},
    "sweep-identity-requests": {"task": "accounts.tasks.sweep_identity_requests", "schedule": 24 * 3600.0},
    "seal-ledger": {"task": "accounts.tasks.seal_ledger", "schedule": 24 * 3600.0},
    "verify-ledger": {"task": "accounts.tasks.verify_ledger", "schedule": crontab(hour=3, minute=20)},
}
