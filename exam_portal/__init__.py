"""The project: settings, URLs, Celery; the ground all apps stand on and the roof above them."""

from exam_portal.celery import app as celery_app

__all__ = ["celery_app"]
