from django.apps import AppConfig
from django.core.checks import register


class KitConfig(AppConfig):
    name = "exam_portal.kit"
    label = "kit"

    def ready(self) -> None:
        from exam_portal.kit.hooks import check_hooks

        register(check_hooks)
